"""What `pose-mdn lift` says at the end to people."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import typer

from pose_mdn.batch.events import Finished
from pose_mdn.batch.result import JobResult, Recognised

_STATUS_TEXTS = {
    "lifted": "lifted",
    "lifted_joints_missing": "lifted with joints missing",
    "lifted_cut_by_frame": "lifted, cut by the frame",
    "lifted_from_neighbours": "from neighbouring frames",
    "no_person": "without a person",
    "too_few_joints": "with too few joints",
    "degenerate": "degenerate",
}
_SHOWN_ONE_BY_ONE = 20


def print_finished(finished: Finished, folder: Path | str | None) -> None:
    """Results on stdout: each of a few, the sums of many; then how many inputs were lifted, if there were several."""
    results, count = finished.results, len(finished.results)
    if count <= _SHOWN_ONE_BY_ONE:
        for result in results:
            _print(result)
    else:
        _print_sums(finished)
    total = count + len(finished.failed) + finished.left
    if total + finished.skipped > 1:
        done = f"{count} of {total} inputs lifted by {finished.model}"
        skipped = f"; {finished.skipped} were done already" if finished.skipped else ""
        typer.echo(f"{done}{skipped}")
    if finished.interrupted:
        again = f"; the same command with --resume goes on in {folder}" if folder is not None else ""
        typer.echo(f"interrupted, {finished.left} left{again}")


def _print(result: JobResult) -> None:
    typer.echo(f"{result.job.label} -> {', '.join(output.path for output in result.outputs)}")
    if guessed := _guessed(result.recognised):
        typer.echo(f"  taken for {guessed}")
    typer.echo(f"  {result.rows} rows: {_counts(result.status) or 'nobody'}")
    if result.out_of_distribution:
        typer.echo(f"  {result.out_of_distribution} look out of distribution: perhaps no person (ood_score > 0.5)")
    typer.echo(f"  camera {result.intrinsics}")
    if result.size.startswith("given"):
        typer.echo(f"  size {result.size}")


def _guessed(found: Recognised) -> str:
    """The format and the layout, with how sure they are, as far as they were not given; empty if both were."""
    parts = []
    if found.confidence < 1:
        parts.append(f"{found.format} ({found.confidence:.0%} sure: {found.reason})")
    if found.skeleton_confidence < 1:
        parts.append(f"joints of {found.skeleton} ({found.skeleton_confidence:.0%} sure)")
    return ", ".join(parts)


def _print_sums(finished: Finished) -> None:
    status: Counter[str] = Counter()
    for result in finished.results:
        status.update(result.status)
    strange = sum(result.out_of_distribution or 0 for result in finished.results)
    assumed = sum(result.intrinsics != "given" for result in finished.results)
    typer.echo(f"{finished.rows} rows: {_counts(status) or 'nobody'}")
    if strange:
        typer.echo(f"  {strange} look out of distribution: perhaps no person (ood_score > 0.5)")
    if assumed:
        typer.echo(f"  the camera was assumed for {assumed} of {len(finished.results)} inputs")
    seconds = max(finished.seconds, 1e-3)
    files_s, rows_s = len(finished.results) / seconds, finished.rows / seconds
    typer.echo(f"  {finished.seconds:.1f} s, {files_s:.3g} files/s, {rows_s:.3g} rows/s")


def _counts(status: Mapping[str, int]) -> str:
    return ", ".join(f"{status[name]} {text}" for name, text in _STATUS_TEXTS.items() if name in status)
