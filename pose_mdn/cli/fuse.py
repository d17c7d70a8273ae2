"""`pose-mdn fuse`: hypotheses of several calibrated views in, poses in the world out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from pose_mdn.geometry.camera import Camera
    from pose_mdn.poses.fused import FusedPoseSequence
    from pose_mdn.poses.hypotheses import HypothesisSequence


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fuse")(fuse)


def fuse(
    views: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]FILE...",
            help="Hypotheses files of one camera each. A file whose name without suffix is a camera's needs no NAME=.",
        ),
    ],
    *,
    cameras: Annotated[
        Path, typer.Option("--cameras", metavar="FILE", help="Calibration of all cameras (docs/cameras.md).")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Fused poses to write, .npz.")],
    offset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FRAMES", help="Frames to add to a view's numbers, if cameras did not start together."
        ),
    ] = None,
    people: Annotated[
        Literal["match", "numbers"],
        typer.Option(
            help="Who is who across views: match people by where they are, or trust that the files number them alike."
        ),
    ] = "match",
    seen_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CAMERA",
            help="Also write the poses as hypotheses in this camera's frame, to OUT.CAMERA.npz, for view and check.",
        ),
    ] = None,
    method: Annotated[
        Literal["posterior", "consistency", "triangulation"],
        typer.Option(
            help="posterior: product of all mixtures and pixels. consistency: the hypotheses that agree, averaged. "
            "triangulation: pixels alone."
        ),
    ] = "posterior",
    noise: Annotated[
        float | None,
        typer.Option(help="Standard deviation of the keypoints, as part of the person's size; estimated if left out."),
    ] = None,
    num_hypotheses: Annotated[int, typer.Option(help="Most hypotheses of a fused pose.")] = 5,
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help="Leave no view out, and sides as they are named.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything for machines on stdout.")] = False,
) -> None:
    """Fuse what several calibrated cameras saw of the same people.

    Rows are matched by frame, people by where they are. Views that show somebody else or another moment are left out,
    exchanged left and right are put right, and keypoints that no other view confirms are disbelieved; the result says
    which. Lift each view with its camera of the same calibration first:

    pose-mdn lift left.json -o left.npz --camera calib.toml:left

    pose-mdn lift right.json -o right.npz --camera calib.toml:right

    pose-mdn fuse left.npz right.npz --cameras calib.toml -o fused.npz --seen-by left

    pose-mdn view fused.left.npz -o report.html
    """
    from pose_mdn.cli.progress import row_progress  # noqa: PLC0415
    from pose_mdn.formats import read_cameras, read_hypotheses, write_fused  # noqa: PLC0415
    from pose_mdn.fusion import FusionSettings, fuse_views  # noqa: PLC0415
    from pose_mdn.fusion.document import fusion_document, fusion_summary  # noqa: PLC0415

    settings = FusionSettings(method=method, noise=noise, num_hypotheses=num_hypotheses, reject=not keep_all)
    known = read_cameras(cameras)
    _require_known(seen_by or [], known, "--seen-by")
    hypotheses = {name: read_hypotheses(path) for name, path in _files(views, known).items()}
    offsets = _offsets(offset or [], hypotheses)
    persons = _persons(hypotheses, known, offsets) if people == "match" else None
    with row_progress() as progress:
        progress.begin("fusing", max(map(len, hypotheses.values())))
        fused = fuse_views(
            hypotheses, known, settings=settings, persons=persons, offsets=offsets, on_progress=progress.advance
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_fused(output, fused)
    written = [output]
    for name in seen_by or []:
        path = output.with_name(f"{output.stem}.{name}.npz")
        person = None if persons is None else dict(zip(hypotheses, persons, strict=True)).get(name)
        view, shift = hypotheses.get(name), offsets.get(name, 0)
        written.append(_write_seen_by(path, fused, known[name], view, person=person, offset=shift))
    if as_json:
        typer.echo(json.dumps({"written": [str(path) for path in written], **fusion_document(fused)}))
        return
    for line in fusion_summary(fused):
        typer.echo(line)
    typer.echo(f"wrote {', '.join(str(path) for path in written)}")


def _files(views: list[str], known: "Collection[str]") -> dict[str, Path]:
    """Files by the names of their cameras."""
    files: dict[str, Path] = {}
    for text in views:
        name, separator, file = text.partition("=")
        if not separator or Path(text).exists():
            name, file = Path(text).stem, text
        if name not in known:
            cure = "" if separator else f", or say which: CAMERA={text}"
            raise typer.BadParameter(
                f"{text}: expected the name of a camera ({', '.join(known)}), got {name!r}{cure}", param_hint="FILE"
            )
        if name in files:
            raise typer.BadParameter(
                f"{text}: expected one file for camera {name!r}, got also {files[name]}", param_hint="FILE"
            )
        files[name] = Path(file)
    return files


def _offsets(texts: list[str], views: "Collection[str]") -> dict[str, int]:
    offsets = {}
    for text in texts:
        name, _, frames = text.rpartition("=")
        _require_known([name], views, "--offset")
        try:
            offsets[name] = int(frames)
        except ValueError:
            raise typer.BadParameter(f"--offset: expected NAME=FRAMES, such as left=-12, got {text!r}") from None
    return offsets


def _require_known(names: list[str], known: "Collection[str]", option: str) -> None:
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{option}: expected one of {', '.join(known)}, got {name!r}")


def _persons(
    hypotheses: "dict[str, HypothesisSequence]", known: "Mapping[str, Camera]", offsets: dict[str, int]
) -> "list[NDArray[np.int64]]":
    """For each view, who each row shows."""
    from pose_mdn.people import people_of_views  # noqa: PLC0415

    return people_of_views(
        list(hypotheses.values()),
        [known[name] for name in hypotheses],
        offsets=[offsets.get(name, 0) for name in hypotheses],
    )


def _write_seen_by(
    path: Path,
    fused: "FusedPoseSequence",
    camera: "Camera",
    view: "HypothesisSequence | None",
    *,
    person: "NDArray[np.int64] | None",
    offset: int,
) -> Path:
    from pose_mdn.formats import write_hypotheses  # noqa: PLC0415
    from pose_mdn.fusion import seen_by  # noqa: PLC0415

    write_hypotheses(path, seen_by(fused, camera, view, person=person, offset=offset))
    return path
