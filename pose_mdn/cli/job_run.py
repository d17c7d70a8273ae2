"""Doing the jobs of a command one after another, with a bar, past those that fail."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pose_mdn.batch.job import Job
from pose_mdn.cli import print_error
from pose_mdn.errors import PoseMDNError

if TYPE_CHECKING:
    from pose_mdn.cli.progress import RowProgress

Summary = TypeVar("Summary")


def run_jobs(
    jobs: Sequence[Job], work: "Callable[[Job, RowProgress, str], Summary]"
) -> tuple[list[Summary], list[dict[str, str]]]:
    """Do all jobs; one that fails is reported, and the others are done.

    Args:
        jobs: In order.
        work: Does one, given the bar and what to call the job there.

    Returns:
        What became of those done, and of the others their `input` and `error`.
    """
    from pose_mdn.cli.progress import row_progress  # noqa: PLC0415

    done, failed = [], []
    with row_progress() as progress:
        for number, job in enumerate(jobs, 1):
            try:
                done.append(work(job, progress, f"{job.source} ({number}/{len(jobs)})"))
            except PoseMDNError as error:
                message = str(error)
                failed.append({"input": job.source, "error": message})
                print_error(message if job.source in message else f"{job.source}: {message}")
    return done, failed
