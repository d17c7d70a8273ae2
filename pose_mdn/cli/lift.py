"""`pose-mdn lift`: keypoints files in, hypotheses files out."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pose_mdn.cli import EXIT_FAILED
from pose_mdn.cli.body_options import (
    BoneLengthsOption,
    CameraHeightOption,
    CameraRollOption,
    CameraTiltOption,
    GroundPlaneOption,
    GroundUpOption,
    KnownDistanceOption,
    SizeOptions,
    StatureOption,
    parse_size_options,
)
from pose_mdn.cli.camera_options import (
    CameraOption,
    CameraOptions,
    DistortionOption,
    EstimateFocalOption,
    ExifOption,
    FovOption,
    ImageSizeOption,
    IntrinsicsOption,
    parse_camera_options,
)
from pose_mdn.cli.job_run import run_jobs
from pose_mdn.cli.lift_summary import Summary, print_summaries
from pose_mdn.cli.sources import Job, opened, plan_jobs

if TYPE_CHECKING:
    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.inference import Lifter
    from pose_mdn.poses.hypotheses import HypothesisSequence
    from pose_mdn.poses.keypoints import KeypointSequence

_OUTPUT = "Output"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How input files are read and lifted, for all of them."""

    format: str | None
    skeleton: str | None
    camera: CameraOptions
    min_confidence: float
    size: SizeOptions


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
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="Result .npz or .parquet, or a folder for several inputs.",
            rich_help_panel=_OUTPUT,
        ),
    ],
    format_: Annotated[str | None, typer.Option("--format", help="Input format, if it is not recognised.")] = None,
    skeleton: Annotated[
        str | None,
        typer.Option(help="Layout of the joints (coco17, body25, blazepose33, ...), if the file does not say."),
    ] = None,
    model: Annotated[str, typer.Option(help="Bundled model, NAME/VERSION, or the folder of a bundle.")] = "mdn_lifter",
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Joints that the detector trusts less count as missing.")
    ] = 0.1,
    num_hypotheses: Annotated[
        int | None, typer.Option(min=1, help="Poses per person, for models that sample (cvae_lifter).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise of models that sample.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the model; 0 means one per core.")] = 0,
    camera: CameraOption = None,
    fov: FovOption = None,
    exif: ExifOption = None,
    estimate_focal: EstimateFocalOption = False,
    intrinsics: IntrinsicsOption = None,
    distortion: DistortionOption = None,
    image_size: ImageSizeOption = None,
    stature: StatureOption = None,
    bone_lengths: BoneLengthsOption = None,
    known_distance: KnownDistanceOption = None,
    camera_height: CameraHeightOption = None,
    camera_tilt: CameraTiltOption = None,
    camera_roll: CameraRollOption = 0.0,
    ground_plane: GroundPlaneOption = None,
    ground_up: GroundUpOption = None,
    to: Annotated[
        Literal["npz", "parquet"],
        typer.Option(help="File type of the results, if OUT is a folder.", rich_help_panel=_OUTPUT),
    ] = "npz",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a summary for machines on stdout.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Lift 2D keypoints to weighted 3D hypotheses.

    Rows keep their order; a pose that cannot be lifted keeps its row, with NaN and its reason. With several inputs, one
    that cannot be read is reported, the others are done, and the exit code is 1.

    One camera tells no metres: without anything from the panel Size, people are taken for adults of usual size
    (docs/scale.md).
    """
    jobs = plan_jobs(inputs, output, suffix=f".{to}")
    cameras = parse_camera_options(
        camera, intrinsics, distortion, image_size, fov=fov, exif=exif, estimate_focal=estimate_focal
    )
    size = parse_size_options(
        stature,
        bone_lengths,
        distances=known_distance or [],
        camera_height_m=camera_height,
        camera_tilt_deg=camera_tilt,
        camera_roll_deg=camera_roll,
        ground_plane=ground_plane,
        ground_up=ground_up,
        camera=cameras.camera,
    )
    reading = Reading(format=format_, skeleton=skeleton, camera=cameras, min_confidence=min_confidence, size=size)
    from pose_mdn.inference import load_lifter  # noqa: PLC0415

    lifter = load_lifter(model, threads=threads, num_hypotheses=num_hypotheses, seed=seed)
    _lift_all(jobs, lifter, reading, as_json=as_json)


def _lift_all(jobs: list[Job], lifter: "Lifter", reading: Reading, *, as_json: bool) -> None:
    done, failed = run_jobs(jobs, lambda job, progress, name: _lift_one(job, lifter, reading, progress, name))
    print_summaries(done, failed, f"{lifter.name}/{lifter.version}", as_json=as_json)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _lift_one(job: Job, lifter: "Lifter", reading: Reading, progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.formats import read_keypoints, write_hypotheses  # noqa: PLC0415

    with opened(job.source) as path:
        sequence = read_keypoints(path, format=reading.format, skeleton=reading.skeleton)
    sequence = reading.camera.apply(sequence)
    hypotheses = _lifted(sequence, lifter, reading, progress, description)
    job.target.parent.mkdir(parents=True, exist_ok=True)
    write_hypotheses(job.target, hypotheses)
    return Summary.of(job.source, job.target, hypotheses, scored=lifter.gives_ood_score)


def _lifted(
    sequence: "KeypointSequence", lifter: "Lifter", reading: Reading, progress: "RowProgress", description: str
) -> "HypothesisSequence":
    """The hypotheses, by the camera that is known or estimated, in the size that is known."""
    from pose_mdn.inference.focal_length import EXTRA_LIFTS, lift_with_unknown_focal_length  # noqa: PLC0415

    if not reading.camera.estimate_focal:
        progress.begin(description, len(sequence))
        found = lifter.lift(sequence, min_confidence=reading.min_confidence, on_progress=progress.advance)
    else:
        progress.begin(f"{description}, focal length", (1 + EXTRA_LIFTS) * len(sequence))
        found, _ = lift_with_unknown_focal_length(
            lifter, sequence, min_confidence=reading.min_confidence, on_progress=progress.advance
        )
    return reading.size.apply(found)
