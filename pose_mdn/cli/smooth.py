"""`pose-mdn smooth`: hypotheses of a film in, the same rows linked and smoothed over time out."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pose_mdn.batch.job import Job
from pose_mdn.cli import EXIT_FAILED
from pose_mdn.cli.job_run import run_jobs
from pose_mdn.cli.sources import plan_jobs

if TYPE_CHECKING:
    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.poses.hypotheses import HypothesisSequence


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How all inputs are smoothed."""

    lag: int | None
    fps: float | None
    relift: bool
    model: str | None
    threads: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of one input.

    Attributes:
        input: As the user named it.
        output: The hypotheses file.
        rows: How many there are.
        lifted: How many of them hold hypotheses.
        filled: How many were filled in from their neighbours.
        people_followed: How many people were told apart over time, if the file had no identities.
        lifted_again: Whether keypoints were smoothed and lifted again, or the hypotheses alone smoothed.
        fps: Frames per second that were used, and where they come from.
        jitter_mm_s2: Mean acceleration of the most probable hypothesis, before and after, if three frames are in a row.
    """

    input: str
    output: str
    rows: int
    lifted: int
    filled: int
    people_followed: int | None
    lifted_again: bool
    fps: str
    jitter_mm_s2: tuple[float, float] | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("smooth")(smooth)


def smooth(
    results: Annotated[
        list[str], typer.Argument(metavar="RESULT...", help="Hypotheses files written by `pose-mdn lift`, or globs.")
    ],
    *,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT", help="Result .npz or .parquet, or a folder for several inputs."),
    ],
    lag: Annotated[
        int | None,
        typer.Option(min=0, metavar="FRAMES", help="Answer each frame so many frames later, as on a live film."),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second; what the file says, or 30, if left out.")
    ] = None,
    relift: Annotated[
        bool,
        typer.Option(
            "--relift/--no-relift",
            help="Smooth the keypoints, too, and lift them again; otherwise smooth what was lifted.",
        ),
    ] = True,
    model: Annotated[
        str | None, typer.Option(help="Model to lift again with; the one that the file names if left out.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the model; 0 means one per core.")] = 0,
    to: Annotated[
        Literal["npz", "parquet"], typer.Option(help="File type of the results, if OUT is a folder.")
    ] = "npz",
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary for machines on stdout.")] = False,
) -> None:
    """Link the hypotheses of a film over time, and smooth them.

    Which of several poses a person takes is decided by all frames together, and what a detector adds from frame to
    frame is averaged out. The result has the same rows and is again a mixture of hypotheses for each. People are
    followed where the file has no identities (see `pose-mdn track`); long gaps and cuts are found and not smoothed
    over.

    Example: pose-mdn lift walk.npz -o walk_3d.npz, then pose-mdn smooth walk_3d.npz -o smooth.npz
    """
    jobs = plan_jobs(results, output, suffix=f".{to}")
    manner = Manner(lag=lag, fps=fps, relift=relift, model=model, threads=threads)
    done, failed = run_jobs(jobs, lambda job, progress, name: _smooth_one(job, manner, progress, name))
    _report(done, failed, as_json=as_json)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _smooth_one(job: Job, manner: Manner, progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.formats import read_hypotheses, write_hypotheses  # noqa: PLC0415
    from pose_mdn.people import with_tracked_people  # noqa: PLC0415
    from pose_mdn.poses.status import Status  # noqa: PLC0415
    from pose_mdn.video import DEFAULT_FPS  # noqa: PLC0415

    hypotheses = read_hypotheses(Path(job.source))
    followed = not hypotheses.tracked
    hypotheses = with_tracked_people(hypotheses)
    lifted_again = manner.relift and _is_as_lifted(hypotheses)
    stages = 2 if lifted_again and manner.lag is None else 1
    progress.begin(description, stages * len(hypotheses))
    compute = _lifted_again if lifted_again else _smoothed_alone
    found = compute(hypotheses, manner, progress)
    Path(job.target).parent.mkdir(parents=True, exist_ok=True)
    write_hypotheses(Path(job.target), found)
    used = manner.fps or hypotheses.fps or DEFAULT_FPS
    source = "given" if manner.fps else "from the file" if hypotheses.fps else "assumed"
    return Summary(
        input=job.source,
        output=job.target,
        rows=len(found),
        lifted=int(found.lifted.sum()),
        filled=int((found.status == Status.LIFTED_FROM_NEIGHBOURS.value).sum()),
        people_followed=len(set(hypotheses.person[hypotheses.person >= 0].tolist())) if followed else None,
        lifted_again=lifted_again,
        fps=f"{used:g} frames per second, {source}",
        jitter_mm_s2=_jitter(hypotheses, found, used),
    )


def _is_as_lifted(hypotheses: "HypothesisSequence") -> bool:
    """Whether lifting the keypoints again loses nothing: a known size and an estimated camera are not in the file."""
    import numpy as np  # noqa: PLC0415

    from pose_mdn.refinement.refine import REFINED  # noqa: PLC0415

    has_own_size = hypotheses.size_source.startswith("given")
    return not (has_own_size or hypotheses.model.endswith(REFINED) or np.isfinite(hypotheses.root_std_m).any())


def _lifted_again(hypotheses: "HypothesisSequence", manner: Manner, progress: "RowProgress") -> "HypothesisSequence":
    from dataclasses import replace  # noqa: PLC0415

    from pose_mdn.inference import VideoSettings, lift_again, load_lifter  # noqa: PLC0415

    lifter = load_lifter(manner.model or hypotheses.model, threads=manner.threads)
    settings = VideoSettings()
    settings = replace(settings, hypotheses=replace(settings.hypotheses, fps=manner.fps))
    return lift_again(lifter, hypotheses, settings, lag=manner.lag, on_progress=progress.advance)


def _smoothed_alone(hypotheses: "HypothesisSequence", manner: Manner, progress: "RowProgress") -> "HypothesisSequence":
    from dataclasses import replace  # noqa: PLC0415

    from pose_mdn.fusion.seen_by import SIZE_FROM_VIEWS  # noqa: PLC0415
    from pose_mdn.video import (  # noqa: PLC0415
        AFTER_FUSION,
        OnlineSmoother,
        SmoothingSettings,
        played,
        smooth_sequence,
    )

    fused = hypotheses.size_source == SIZE_FROM_VIEWS
    settings = replace(AFTER_FUSION if fused else SmoothingSettings(), fps=manner.fps)
    if manner.lag is None or not len(hypotheses):
        return smooth_sequence(hypotheses, settings, progress.advance)
    live = OnlineSmoother(settings, lag=manner.lag)
    return played(hypotheses, live.push, live.flush, progress.advance)


def _jitter(before: "HypothesisSequence", after: "HypothesisSequence", fps: float) -> tuple[float, float] | None:
    """Mean accelerations of both at the rows that both lifted."""
    import numpy as np  # noqa: PLC0415

    from pose_mdn.metrics import acceleration_mm_s2, consecutive_runs  # noqa: PLC0415

    both = before.lifted & after.lifted & (before.person >= 0)
    means = []
    for sequence in (before.take(both), after.take(both)):
        top = sequence.means_m[np.arange(len(sequence)), sequence.most_probable].astype(np.float64)
        runs = [run for run in consecutive_runs(sequence.frame, sequence.person) if len(run) > 2]
        values = [acceleration_mm_s2(top[run], fps) for run in runs]
        if not values:
            return None
        means.append(float(np.concatenate(values).mean()))
    return means[0], means[1]


def _report(done: list[Summary], failed: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"results": [asdict(summary) for summary in done], "failed": failed}))
        return
    for summary in done:
        manner = "keypoints smoothed and lifted again" if summary.lifted_again else "hypotheses smoothed as lifted"
        typer.echo(f"{summary.input} -> {summary.output}")
        typer.echo(f"  {summary.rows} rows, {summary.lifted} lifted; {manner}; {summary.fps}")
        if summary.people_followed is not None:
            typer.echo(f"  {summary.people_followed} people followed, since the file has no identities")
        if summary.filled:
            typer.echo(f"  {summary.filled} filled in from neighbouring frames")
        if summary.jitter_mm_s2 is not None:
            typer.echo("  mean acceleration {:.1f} -> {:.1f} m/s²".format(*(v / 1000 for v in summary.jitter_mm_s2)))
