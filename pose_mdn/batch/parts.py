"""Files that are more than one job: several recordings in one file, and tables too large for one result."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pose_mdn.batch import storage
from pose_mdn.batch.job import STDIN, Job, refuse_clashes
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError, PoseMDNError

if TYPE_CHECKING:
    from pose_mdn.formats import KeypointFormat
    from pose_mdn.formats.keypoints.keypoint_format import ReadOptions

PART_UNIT_ROWS = 512
"""The model sees rows in slices of that many; parts begin where slices do, so that they do not change results."""

_NOT_IN_NAMES = '<>:"/\\|?*'
_MAX_NAME = 120


def split_jobs(jobs: Sequence[Job], settings: LiftSettings, *, rows_per_part: int | None = None) -> list[Job]:
    """One job for each recording of files that hold several, and for each part of large tables.

    Results of recordings and of parts are in a folder of the file's name: `day.h5` gives `day/S1 walk.npz`, and
    `big.parquet` gives `big/part-00000.parquet`. A file that cannot be looked into stays one job, which will say why.

    Args:
        jobs: From `plan_jobs`.
        settings: How files are read.
        rows_per_part: Longest part of a file that can be read in parts; a multiple of 512. Files are whole if `None`.

    Raises:
        InputError: The number is not such a multiple, or a job with a file as OUT would give several files.
    """
    if rows_per_part is not None and (rows_per_part < 1 or rows_per_part % PART_UNIT_ROWS):
        raise InputError(
            f"rows per part: expected a multiple of {PART_UNIT_ROWS}, got {rows_per_part}", field="rows_per_part"
        )
    suffixes = _suffixes_worth_a_look(parts=rows_per_part is not None)
    split = [
        part
        for job in jobs
        for clip in (_clips(job, settings) if _may_split(job, suffixes) else [job])
        for part in (_parts(clip, settings, rows_per_part) if rows_per_part is not None else [clip])
    ]
    refuse_clashes(split)
    return split


def _suffixes_worth_a_look(*, parts: bool) -> tuple[str, ...]:
    from pose_mdn.formats import keypoint_formats  # noqa: PLC0415

    wanted = (entry for entry in keypoint_formats().values() if entry.clips or (parts and entry.stream))
    return tuple({suffix for entry in wanted for suffix in entry.suffixes})


def _may_split(job: Job, suffixes: tuple[str, ...]) -> bool:
    return job.source != STDIN and (job.source.lower().endswith(suffixes) or os.path.isdir(job.source))


def _clips(job: Job, settings: LiftSettings) -> list[Job]:
    """The recordings of a job's file."""
    try:
        with storage.fetched(job.source) as path:
            found, options = _looked_into(path, job, settings)
            names = found.clips(path, options) if found.clips is not None else ()
    except PoseMDNError:
        return [job]
    if len(names) < 2:
        return [job]
    return [replace(job, clip=name, target=_within(job, file_name(name))) for name in names]


def _parts(job: Job, settings: LiftSettings, rows_per_part: int) -> list[Job]:
    """The parts of a job's file, if it is a table of more rows than that."""
    if job.source == STDIN or os.path.isdir(job.source):
        return [job]
    try:
        with storage.fetched(job.source) as path:
            found, options = _looked_into(path, job, settings)
            rows = found.stream(path, options).num_rows if found.stream is not None else 0
    except PoseMDNError:
        return [job]
    if rows <= rows_per_part:
        return [job]
    return list(_ranges(job, rows, rows_per_part))


def _ranges(job: Job, rows: int, rows_per_part: int) -> Iterator[Job]:
    for number, start in enumerate(range(0, rows, rows_per_part)):
        target = _within(job, f"part-{number:05d}")
        yield replace(job, rows=(start, min(start + rows_per_part, rows)), target=target)


def _looked_into(path: Path, job: Job, settings: LiftSettings) -> "tuple[KeypointFormat, ReadOptions]":
    from pose_mdn.batch.work import read_options, source_format  # noqa: PLC0415

    return source_format(path, settings).format, read_options(job, settings)


def _within(job: Job, name: str) -> str:
    """A file of that name, with the target's ending, in a folder that is called as the target without it."""
    bare, suffix = os.path.splitext(job.target)
    return os.path.join(bare, name + suffix)


def file_name(clip: str) -> str:
    """A name of a recording as a file may be called on every system."""
    safe = "".join("_" if letter in _NOT_IN_NAMES or not letter.isprintable() else letter for letter in clip)
    return safe.strip(" .")[:_MAX_NAME] or "clip"
