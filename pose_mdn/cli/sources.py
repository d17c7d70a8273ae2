"""What the user names as INPUT and OUT, with the errors of a command line."""

from collections.abc import Sequence
from pathlib import Path

import typer

from pose_mdn.batch import job
from pose_mdn.errors import InputError


def plan_jobs(
    inputs: Sequence[str],
    output: Path | str,
    *,
    suffix: str = ".npz",
    suffixes: Sequence[str] = job.RESULT_SUFFIXES,
    also_readable: Sequence[str] = (),
) -> list[job.Job]:
    """`pose_mdn.batch.job.plan_jobs`, whose refusals are shown with the command's usage.

    Raises:
        typer.BadParameter: A pattern matches nothing, or the inputs do not fit OUT.
    """
    try:
        return job.plan_jobs(inputs, output, suffix=suffix, suffixes=suffixes, also_readable=also_readable)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
