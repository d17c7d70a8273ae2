"""`pose-mdn lift`: keypoints files in, hypotheses files out."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pose_mdn.cli import EXIT_FAILED, print_error
from pose_mdn.cli.body_options import parse_body_options
from pose_mdn.cli.camera_options import CameraOptions, parse_camera_options
from pose_mdn.cli.sources import Job, opened, plan_jobs
from pose_mdn.errors import PoseMDNError

if TYPE_CHECKING:
    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.geometry.body import KnownBodies
    from pose_mdn.inference import Lifter

_STATUS_TEXTS = {
    "lifted": "lifted",
    "lifted_joints_missing": "lifted with joints missing",
    "lifted_cut_by_frame": "lifted, cut by the frame",
    "no_person": "without a person",
    "too_few_joints": "with too few joints",
    "degenerate": "degenerate",
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How input files are read and lifted, for all of them."""

    format: str | None
    skeleton: str | None
    camera: CameraOptions
    min_confidence: float
    bodies: "KnownBodies | None"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of one input.

    Attributes:
        input: As the user named it.
        output: The hypotheses file.
        rows: How many there are.
        status: How many of them have each status.
        out_of_distribution: How many look like no person as the model knows people; `None` if the model gives no score.
        intrinsics: Where the camera came from.
        size: Where the people's size came from.
    """

    input: str
    output: str
    rows: int
    status: dict[str, int]
    out_of_distribution: int | None
    intrinsics: str
    size: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lift")(lift)


def lift(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Keypoints .npz, OpenPose folders, COCO results JSON, folders of such files, quoted globs, "
            "or - for stdin.",
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT", help="Result .npz or .parquet, or a folder for several inputs."),
    ],
    format_: Annotated[str | None, typer.Option("--format", help="Input format, if it is not recognised.")] = None,
    skeleton: Annotated[
        str | None,
        typer.Option(help="Layout of the joints (coco17, body25, blazepose33, ...), if the file does not say."),
    ] = None,
    model: Annotated[str, typer.Option(help="Bundled model, NAME/VERSION, or the folder of a bundle.")] = "mdn_lifter",
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[:NAME]", help="Calibration: OpenCV, Pose2Sim, Qualisys, COLMAP, ... (docs/cameras.md)."
        ),
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(metavar="DEGREES", help="Horizontal field of view of the pictures, if that is known."),
    ] = None,
    exif: Annotated[
        Path | None,
        typer.Option(metavar="PHOTO", help="JPEG by the same camera and zoom, with its focal length in EXIF."),
    ] = None,
    intrinsics: Annotated[
        str | None,
        typer.Option(metavar="FX,FY,CX,CY", help="Pinhole matrix in pixels; assumed, and said so, if unknown."),
    ] = None,
    distortion: Annotated[
        str | None, typer.Option(metavar="K1,K2,P1,P2[,...]", help="Lens distortion in OpenCV's order.")
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Size of the pictures in pixels, if the file does not say.")
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Joints that the detector trusts less count as missing.")
    ] = 0.1,
    stature: Annotated[
        float | None,
        typer.Option(metavar="METRES", help="Standing height of the people, such as 1.82, if it is known."),
    ] = None,
    bone_lengths: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML with known lengths in metres: knee = 0.43; [person.3] for one person."),
    ] = None,
    num_hypotheses: Annotated[
        int | None, typer.Option(min=1, help="Poses per person, for models that sample (cvae_lifter).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise of models that sample.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the model; 0 means one per core.")] = 0,
    to: Annotated[
        Literal["npz", "parquet"], typer.Option(help="File type of the results, if OUT is a folder.")
    ] = "npz",
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary for machines on stdout.")] = False,
) -> None:
    """Lift 2D keypoints to weighted 3D hypotheses.

    Rows keep their order; a pose that cannot be lifted keeps its row, with NaN and its reason. With several inputs, one
    that cannot be read is reported, the others are done, and the exit code is 1.
    """
    jobs = plan_jobs(inputs, output, suffix=f".{to}")
    reading = Reading(
        format=format_,
        skeleton=skeleton,
        camera=parse_camera_options(camera, intrinsics, distortion, image_size, fov=fov, exif=exif),
        min_confidence=min_confidence,
        bodies=parse_body_options(stature, bone_lengths),
    )
    from pose_mdn.cli.progress import row_progress  # noqa: PLC0415
    from pose_mdn.inference import load_lifter  # noqa: PLC0415

    lifter = load_lifter(model, threads=threads, num_hypotheses=num_hypotheses, seed=seed)
    done, failed = [], []
    with row_progress() as progress:
        for number, job in enumerate(jobs, 1):
            try:
                done.append(_lift_one(job, lifter, reading, progress, f"{job.source} ({number}/{len(jobs)})"))
            except PoseMDNError as error:
                failed.append({"input": job.source, "error": str(error)})
                print_error(_with_source(str(error), job.source))
    _report(done, failed, f"{lifter.name}/{lifter.version}", as_json=as_json)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _lift_one(job: Job, lifter: "Lifter", reading: Reading, progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.formats import read_keypoints, write_hypotheses  # noqa: PLC0415

    with opened(job.source) as path:
        sequence = read_keypoints(path, format=reading.format, skeleton=reading.skeleton)
    sequence = reading.camera.apply(sequence)
    progress.begin(description, len(sequence))
    hypotheses = lifter.lift(
        sequence, min_confidence=reading.min_confidence, body=reading.bodies, on_progress=progress.advance
    )
    job.target.parent.mkdir(parents=True, exist_ok=True)
    write_hypotheses(job.target, hypotheses)
    return Summary(
        input=job.source,
        output=str(job.target),
        rows=len(hypotheses),
        status=dict(Counter(map(str, hypotheses.status))),
        out_of_distribution=int(hypotheses.out_of_distribution.sum()) if lifter.gives_ood_score else None,
        intrinsics=hypotheses.intrinsics_source,
        size=hypotheses.size_source,
    )


def _report(done: list[Summary], failed: list[dict[str, str]], model: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"model": model, "results": [asdict(summary) for summary in done], "failed": failed}))
        return
    for summary in done:
        counts = [f"{summary.status[name]} {text}" for name, text in _STATUS_TEXTS.items() if name in summary.status]
        typer.echo(f"{summary.input} -> {summary.output}")
        typer.echo(f"  {summary.rows} rows: {', '.join(counts) or 'nobody'}")
        if summary.out_of_distribution:
            typer.echo(f"  {summary.out_of_distribution} look out of distribution: perhaps no person (ood_score > 0.5)")
        typer.echo(f"  camera {summary.intrinsics}")
        if summary.size.startswith("given"):
            typer.echo(f"  size {summary.size}")
    if len(done) + len(failed) > 1:
        typer.echo(f"{len(done)} of {len(done) + len(failed)} inputs lifted by {model}")


def _with_source(message: str, source: str) -> str:
    return message if source in message else f"{source}: {message}"
