"""`pose-mdn check`: do hypotheses look like the picture?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.cli import EXIT_FAILED
from pose_mdn.cli.camera_options import parse_camera

if TYPE_CHECKING:
    from pose_mdn.poses.hypotheses import HypothesisSequence
    from pose_mdn.poses.keypoints import KeypointSequence
    from pose_mdn.reprojection import ReprojectionCheck


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    result: Annotated[Path, typer.Argument(help="Hypotheses file written by `pose-mdn lift` (.npz or .parquet).")],
    *,
    camera: Annotated[
        str | None,
        typer.Option(metavar="FILE[:NAME]", help="Camera to look through; the one that was lifted with if left out."),
    ] = None,
    lifted_with: Annotated[
        str | None,
        typer.Option(metavar="FILE[:NAME]", help="Camera of the hypotheses, if --camera is another one nearby."),
    ] = None,
    keypoints: Annotated[
        Path | None,
        typer.Option(help="Keypoints in the camera's picture, same rows; those that were lifted if left out."),
    ] = None,
    level: Annotated[float, typer.Option(help="Share of joints that should lie within their uncertainty.")] = 0.95,
    noise: Annotated[
        float, typer.Option(help="Standard deviation of the keypoints, as part of the person's size.")
    ] = 0.012,
    tolerance: Annotated[
        float, typer.Option(help="Largest RMS error of a hypothesis that passes, as part of the person's size.")
    ] = 0.04,
    estimate_root: Annotated[
        bool | None,
        typer.Option(
            "--estimate-root/--keep-root",
            help="Solve where the pelvis is anew, or take what was lifted; solved for another camera if left out.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write: errors by joint and frame, and overlays.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Pictures for the page: a folder of images numbered by frame, a video, or one image."),
    ] = None,
    max_megabytes: Annotated[
        float,
        typer.Option("--max-megabytes", help="Bound on the page's data; pictures get smaller, then frames fewer."),
    ] = 20.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything for machines on stdout.")] = False,
) -> None:
    """Check hypotheses against a picture, joint by joint, and name what is wrong.

    Every hypothesis is projected through the whole camera (matrix, lens, place) and compared with the keypoints: errors
    in pixels and in parts of the person's size, whether joints lie within the uncertainty that they state, whether
    people are before the camera, and whether they are people. Exchanged sides, a mirrored picture and another camera
    are told apart. The exit code is 1 if hypotheses and keypoints disagree.

    Example: pose-mdn check hypotheses.npz --camera calibration.toml:cam2 --lifted-with calibration.toml:cam1
    --keypoints cam2.npz -o report.html --images cam2.mp4
    """
    if images is not None and output is None:
        raise typer.BadParameter("--images are for the page; say where to write it with --output")
    from pose_mdn.formats import read_hypotheses  # noqa: PLC0415
    from pose_mdn.reprojection import CheckSettings, Fault, check_reprojection  # noqa: PLC0415
    from pose_mdn.reprojection.document import check_document, check_summary  # noqa: PLC0415

    hypotheses = read_hypotheses(result)
    seen = None if keypoints is None else _same_rows(keypoints, hypotheses)
    found = check_reprojection(
        hypotheses,
        keypoints_px=None if seen is None else seen.keypoints_px,
        confidence=None if seen is None else seen.confidence,
        camera=None if camera is None else parse_camera(camera),
        lifted_with=None if lifted_with is None else parse_camera(lifted_with),
        settings=CheckSettings(level=level, noise=noise, tolerance=tolerance, estimate_root=estimate_root),
    )
    if output is not None:
        _write_page(hypotheses, found, output, title=result.stem, images=images, max_megabytes=max_megabytes)
    if as_json:
        typer.echo(json.dumps(check_document(hypotheses, found)))
    else:
        for line in check_summary(hypotheses, found):
            typer.echo(line)
    if found.diagnosis.overall not in {None, Fault.NONE}:
        raise typer.Exit(EXIT_FAILED)


def _write_page(
    hypotheses: "HypothesisSequence",
    found: "ReprojectionCheck",
    output: Path,
    *,
    title: str,
    images: Path | None,
    max_megabytes: float,
) -> None:
    from pose_mdn.visualization.check_report import write_check_report  # noqa: PLC0415

    summary = write_check_report(hypotheses, found, output, title=title, images=images, max_megabytes=max_megabytes)
    frames = f"{summary.frames_total} frames"
    if summary.frames_shown < summary.frames_total:
        frames = f"{summary.frames_shown} of {summary.frames_total} frames, see --max-megabytes"
    # On stderr, since stdout may hold JSON.
    typer.echo(f"wrote {summary.path} ({frames}, {summary.size_bytes / 1e6:.1f} MB)", err=True)


def _same_rows(path: Path, hypotheses: "HypothesisSequence") -> "KeypointSequence":
    """Keypoints of the same frames and people, as Human3.6M-17 joints."""
    from dataclasses import replace  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415

    from pose_mdn.errors import InputError  # noqa: PLC0415
    from pose_mdn.formats import read_keypoints  # noqa: PLC0415
    from pose_mdn.skeletons import HUMAN36M17  # noqa: PLC0415
    from pose_mdn.skeletons.mapping import to_human36m17  # noqa: PLC0415

    sequence = read_keypoints(path)
    wanted = list(zip(hypotheses.frame.tolist(), hypotheses.person.tolist(), strict=True))
    place = {key: row for row, key in enumerate(zip(sequence.frame.tolist(), sequence.person.tolist(), strict=True))}
    rows = np.array([place.get(key, -1) for key in wanted])
    if (rows < 0).all():
        raise InputError(
            f"{path}: expected keypoints of the frames and people of the hypotheses, got none of them; check that both "
            "count frames and people alike",
            field="keypoints",
        )
    points, confidence = to_human36m17(
        sequence.keypoints_px, sequence.confidence, sequence.skeleton, hypotheses.mapping
    )
    return replace(
        sequence,
        keypoints_px=np.where(rows[:, None, None] >= 0, points[rows], np.nan),
        confidence=np.where(rows[:, None] >= 0, confidence[rows], 0.0),
        skeleton=HUMAN36M17,
        frame=hypotheses.frame,
        person=hypotheses.person,
    )
