"""`pose-mdn lift`: keypoints files in, hypotheses files out."""

from dataclasses import dataclass
from pathlib import Path

import typer

from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.cli import lift_options as options
from pose_mdn.cli.lift_request import LiftRequest, lift_request
from pose_mdn.cli.shared_options import with_options_of
from pose_mdn.cli.sources import plan_jobs


@dataclass(frozen=True, kw_only=True)
class _Manner:
    """How a batch is done."""

    engine: str
    how: EngineOptions
    resume: bool
    dry_run: bool
    index: bool | None
    as_json: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lift")(lift)


@with_options_of(lift_request, as_argument="request")
def lift(
    inputs: options.InputsArgument,
    *,
    request: LiftRequest,
    rows_per_part: options.RowsPerPartOption = None,
    index: options.IndexOption = None,
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
    how = EngineOptions(workers=workers, threads=threads, patience_s=patience, cluster=cluster)
    manner = _Manner(engine=engine, how=how, resume=resume, dry_run=dry_run, index=index, as_json=as_json)
    jobs, folder = plan(inputs, request, rows_per_part)
    _do(jobs, request.settings, folder, manner)


def plan(
    inputs: list[str], request: LiftRequest, rows_per_part: int | None = None
) -> tuple[list[Job], Path | str | None]:
    """The jobs, and OUT if it is a folder, which then has a manifest."""
    formats, output = request.formats, request.output
    jobs = plan_jobs(inputs, output, suffix=formats.suffix, suffixes=formats.suffixes)
    folder = None if [job.target for job in jobs] == [str(output)] else output
    return _split(jobs, request.settings, rows_per_part, folder), folder


def _do(jobs: list[Job], settings: LiftSettings, folder: Path | str | None, manner: _Manner) -> None:
    if manner.resume and folder is None:
        raise typer.BadParameter(f"--resume needs a folder as OUT, got the file {jobs[0].target}")
    if manner.dry_run:
        from pose_mdn.cli.lift_dry_run import dry_run  # noqa: PLC0415

        dry_run(jobs, settings, folder, resume=manner.resume, as_json=manner.as_json)
        return
    from pose_mdn.cli.lift_run import run  # noqa: PLC0415

    page = _folder_to_index(jobs, settings, folder, wanted=manner.index)
    engine = open_engine(manner.engine, manner.how)
    run(jobs, settings, engine, folder, resume=manner.resume, as_json=manner.as_json, page=page)


def _folder_to_index(
    jobs: list[Job], settings: LiftSettings, folder: Path | str | None, *, wanted: bool | None
) -> Path | None:
    """OUT if it gets a page of its clips: by default if there are several, in files that can be read again whole."""
    if not isinstance(folder, Path):
        if wanted:
            raise typer.BadParameter(f"--index needs a folder on this machine as OUT, got {folder or jobs[0].target}")
        return None
    readable = settings.columns is None and not {"npz", "parquet", "jsonl"}.isdisjoint(settings.outputs)
    return folder if (len(jobs) > 1 and readable if wanted is None else wanted) else None


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
