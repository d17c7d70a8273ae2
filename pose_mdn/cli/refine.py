"""`pose-mdn refine`: hypotheses nearer to the picture that they were lifted from."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pose_mdn.batch.job import Job
from pose_mdn.batch.work import opened
from pose_mdn.cli import EXIT_FAILED
from pose_mdn.cli.job_run import run_jobs
from pose_mdn.cli.sources import plan_jobs

if TYPE_CHECKING:
    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.poses.hypotheses import HypothesisSequence
    from pose_mdn.refinement import RefinementSettings


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of one file.

    Attributes:
        input: As the user named it.
        output: The refined file.
        rows: How many there are.
        refined: How many of them held hypotheses.
        moved_mm: Median distance that joints moved; `None` if nothing was refined, like the others.
        reprojection_px_before: Median over rows of the most probable hypothesis's reprojection error.
        reprojection_px_after: The same of the hypothesis that is most probable now.
        another_most_probable: Share of rows in which that is another one.
    """

    input: str
    output: str
    rows: int
    refined: int
    moved_mm: float | None
    reprojection_px_before: float | None
    reprojection_px_after: float | None
    another_most_probable: float | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("refine")(refine)


def refine(
    results: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULT...", help="Hypotheses files written by `pose-mdn lift` (.npz, .parquet), or quoted globs."
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="OUT", help="File to write, .npz or .parquet; a folder for several."),
    ],
    noise: Annotated[
        float,
        typer.Option(
            help="Standard deviation of the keypoints, as part of the person's size; 0.001 if they are exact."
        ),
    ] = 0.016,
    keep_poses: Annotated[
        bool, typer.Option("--keep-poses", help="Change only how probable hypotheses are, not where joints are.")
    ] = False,
    keep_coefficients: Annotated[
        bool, typer.Option("--keep-coefficients", help="Move joints, but leave hypotheses as probable as they were.")
    ] = False,
    evidence_weight: Annotated[
        float, typer.Option(help="Weight of the picture; 1 is as fitted, 0 changes nothing.")
    ] = 1.0,
    prior_weight: Annotated[float, typer.Option(help="Weight of what the lifter said.")] = 1.0,
    shrink: Annotated[
        float, typer.Option(help="How far standard deviations shrink: 0 keeps them, which is calibrated; 1 is most.")
    ] = 0.0,
    steps: Annotated[int, typer.Option(help="Gauss-Newton steps.")] = 5,
    to: Annotated[
        Literal["npz", "parquet"], typer.Option(help="File type of the results, if OUT is a folder.")
    ] = "npz",
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary for machines on stdout.")] = False,
) -> None:
    """Move hypotheses towards the keypoints that they were lifted from, and weigh them by how well they explain these.

    Each hypothesis becomes the most probable body under its own uncertainty, the keypoints' noise and bones of constant
    length, through the whole camera. Most is gained where keypoints are better than a detector's: say so with --noise.
    Files keep their rows. With several files, one that cannot be read is reported, the others are done, and the exit
    code is 1.

    Example: pose-mdn refine hypotheses.npz -o refined.npz --noise 0.004
    """
    if keep_poses and keep_coefficients:
        raise typer.BadParameter("--keep-poses and --keep-coefficients together leave nothing to do; drop one of them")
    jobs = plan_jobs(results, output, suffix=f".{to}")
    from pose_mdn.refinement import RefinementSettings  # noqa: PLC0415

    settings = RefinementSettings(
        noise=noise,
        move=not keep_poses,
        reweight=not keep_coefficients,
        evidence_weight=evidence_weight,
        prior_weight=prior_weight,
        shrink=shrink,
        steps=steps,
    )
    done, failed = run_jobs(jobs, lambda job, progress, name: _refine_one(job, settings, progress, name))
    _report(done, failed, as_json=as_json)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _refine_one(job: Job, settings: "RefinementSettings", progress: "RowProgress", description: str) -> Summary:
    from pose_mdn.formats import read_hypotheses, write_hypotheses  # noqa: PLC0415
    from pose_mdn.refinement import refine_hypotheses  # noqa: PLC0415

    with opened(job.source) as path:
        hypotheses = read_hypotheses(path)
    progress.begin(description, len(hypotheses))
    refined = refine_hypotheses(hypotheses, settings, on_progress=progress.advance)
    Path(job.target).parent.mkdir(parents=True, exist_ok=True)
    write_hypotheses(Path(job.target), refined)
    return _summary(job, hypotheses, refined)


def _summary(job: Job, before: "HypothesisSequence", after: "HypothesisSequence") -> Summary:
    import numpy as np  # noqa: PLC0415

    lifted = before.lifted & np.isfinite(before.means_m).all(axis=(1, 2, 3))
    was, now = before.take(lifted), after.take(lifted)
    moved = np.linalg.norm(now.means_m - was.means_m, axis=-1)[..., 1:]

    def error_px(rows: "HypothesisSequence") -> float | None:
        chosen = rows.reprojection_error_px[np.arange(len(rows)), rows.most_probable]
        return float(np.median(chosen)) if len(rows) else None

    return Summary(
        input=job.source,
        output=job.target,
        rows=len(before),
        refined=len(was),
        moved_mm=float(1000 * np.median(moved)) if len(was) else None,
        reprojection_px_before=error_px(was),
        reprojection_px_after=error_px(now),
        another_most_probable=float(np.mean(was.most_probable != now.most_probable)) if len(was) else None,
    )


def _report(done: list[Summary], failed: list[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"results": [asdict(summary) for summary in done], "failed": failed}))
        return
    for summary in done:
        typer.echo(f"{summary.input} -> {summary.output}")
        typer.echo(f"  {summary.refined} of {summary.rows} rows refined")
        if summary.refined:
            before_px, after_px = summary.reprojection_px_before, summary.reprojection_px_after
            other = 100 * (summary.another_most_probable or 0)
            typer.echo(f"  joints moved by {summary.moved_mm:.0f} mm in the median")
            typer.echo(f"  reprojection error of the most probable hypothesis {before_px:.1f} -> {after_px:.1f} px")
            typer.echo(f"  another hypothesis is the most probable one in {other:.0f} % of the rows")
    if len(done) + len(failed) > 1:
        typer.echo(f"{len(done)} of {len(done) + len(failed)} files refined")
