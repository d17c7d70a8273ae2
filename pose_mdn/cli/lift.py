"""`pose-mdn lift`: keypoints files in, hypotheses files out."""

from dataclasses import dataclass
from pathlib import Path

import typer

from pose_mdn.batch.engines.engine import EngineOptions
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.cli import lift_options as options
from pose_mdn.cli.body_options import (
    BoneLengthsOption,
    CameraHeightOption,
    CameraRollOption,
    CameraTiltOption,
    GroundPlaneOption,
    GroundUpOption,
    KnownDistanceOption,
    StatureOption,
    parse_size_options,
)
from pose_mdn.cli.camera_options import (
    CameraOption,
    DistortionOption,
    EstimateFocalOption,
    ExifOption,
    FovOption,
    ImageSizeOption,
    IntrinsicsOption,
    parse_camera_options,
)
from pose_mdn.cli.sources import plan_jobs


@dataclass(frozen=True, kw_only=True)
class _Manner:
    """How a batch is done."""

    engine: str
    how: EngineOptions
    resume: bool
    dry_run: bool
    as_json: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lift")(lift)


def lift(
    inputs: options.InputsArgument,
    *,
    output: options.OutputOption,
    format_: options.FormatOption = None,
    skeleton: options.SkeletonOption = None,
    mapping: options.MappingOption = "names",
    fps: options.FpsOption = None,
    trust_pickle: options.TrustPickleOption = False,
    model: options.ModelOption = "mdn_lifter",
    min_confidence: options.MinConfidenceOption = 0.1,
    num_hypotheses: options.NumHypothesesOption = None,
    seed: options.SeedOption = 0,
    server: options.ServerOption = None,
    server_ca: options.ServerCaOption = None,
    server_token_file: options.ServerTokenFileOption = None,
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
    to: options.ToOption = None,
    pose: options.PoseOption = "mean",
    columns: options.ColumnsOption = None,
    rows_per_part: options.RowsPerPartOption = None,
    as_json: options.JsonOption = False,
    workers: options.WorkersOption = 0,
    threads: options.ThreadsOption = 0,
    resume: options.ResumeOption = False,
    dry_run: options.DryRunOption = False,
    patience: options.PatienceOption = options.DEFAULT_PATIENCE,
    engine: options.EngineOption = "local",
    cluster: options.ClusterOption = None,
) -> None:
    """Lift 2D keypoints to weighted 3D hypotheses.

    Rows keep their order; a pose that cannot be lifted keeps its row, with NaN and its reason. With several inputs, one
    that cannot be read is reported, the others are done, and the exit code is 1. Ctrl-C ends a batch within moments
    (exit code 130); after that, or whatever else ended it, --resume goes on where it was (docs/batch.md).

    One camera tells no metres: without anything from the panel Size, people are taken for adults of usual size
    (docs/scale.md).
    """
    formats = options.parse_result_formats(to, out := options.parse_output(output))
    given_camera = parse_camera_options(
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
        camera=given_camera.camera,
    )
    options.check_names(format_, skeleton)
    settings = LiftSettings(
        model=model,
        num_hypotheses=num_hypotheses,
        seed=seed,
        min_confidence=min_confidence,
        format=format_,
        skeleton=skeleton,
        mapping=options.check_mapping(mapping),
        image_size=given_camera.image_size,
        fps=fps,
        trust_pickle=trust_pickle,
        camera=given_camera,
        size=size,
        outputs=formats.names,
        choice=pose,
        columns=options.parse_columns(columns, formats.names),
        server=server,
        server_ca=server_ca,
        server_token_file=server_token_file,
    )
    how = EngineOptions(workers=workers, threads=threads, patience_s=patience, cluster=cluster)
    manner = _Manner(engine=engine, how=how, resume=resume, dry_run=dry_run, as_json=as_json)
    jobs, folder = _plan(inputs, out, settings, formats, rows_per_part)
    _do(jobs, settings, folder, manner)


def _plan(
    inputs: list[str],
    output: Path | str,
    settings: LiftSettings,
    formats: options.ResultFormats,
    rows_per_part: int | None,
) -> tuple[list[Job], Path | str | None]:
    """The jobs, and OUT if it is a folder, which then has a manifest."""
    jobs = plan_jobs(inputs, output, suffix=formats.suffix, suffixes=formats.suffixes)
    folder = None if [job.target for job in jobs] == [str(output)] else output
    return _split(jobs, settings, rows_per_part, folder), folder


def _do(jobs: list[Job], settings: LiftSettings, folder: Path | str | None, manner: _Manner) -> None:
    if manner.resume and folder is None:
        raise typer.BadParameter(f"--resume needs a folder as OUT, got the file {jobs[0].target}")
    if manner.dry_run:
        from pose_mdn.cli.lift_dry_run import dry_run  # noqa: PLC0415

        dry_run(jobs, settings, folder, resume=manner.resume, as_json=manner.as_json)
        return
    from pose_mdn.cli.lift_run import run  # noqa: PLC0415

    run(jobs, settings, manner.engine, manner.how, folder, resume=manner.resume, as_json=manner.as_json)


def _split(jobs: list[Job], settings: LiftSettings, rows_per_part: int | None, folder: Path | str | None) -> list[Job]:
    """Recordings and parts of files that are more than one job."""
    from pose_mdn.batch.parts import split_jobs  # noqa: PLC0415
    from pose_mdn.errors import InputError  # noqa: PLC0415

    try:
        split = split_jobs(jobs, settings, rows_per_part=rows_per_part)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    if folder is None and len(split) > 1:
        raise typer.BadParameter(
            f"{split[0].source} gives {len(split)} results, which need a folder as OUT, got the file {jobs[0].target}"
        )
    return split
