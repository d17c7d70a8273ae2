"""Temporary files that a killed process could not remove."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from pose_mdn.batch.job import Job

_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
_PAGE = re.compile(r"\..+\.html\.[0-9a-f]{8}\.tmp")
_NAME_KEPT = 64
"""Characters of the file's name that `replace_atomically` keeps."""


def remove_leftovers(jobs: Sequence[Job]) -> list[str]:
    """Remove what was half-written of these jobs' results; other files of their folders are left alone.

    Returns:
        The paths removed.
    """
    stems: dict[str, set[str]] = defaultdict(set)
    for job in jobs:
        folder, name = os.path.split(job.target)
        stems[folder].add(os.path.splitext(name)[0][:_NAME_KEPT])
    removed = []
    for folder, names in stems.items():
        with suppress(FileNotFoundError), os.scandir(folder or ".") as entries:
            for entry in entries:
                if _is_leftover(entry.name, names):
                    os.unlink(entry.path)
                    removed.append(entry.path)
    return removed


def remove_page_leftovers(root: str | os.PathLike[str]) -> None:
    """Remove what was half-written of the pages of a folder of results: `index.html` and all in `viewers`."""
    with os.scandir(root) as entries:
        pages = [entry.path for entry in entries if _PAGE.fullmatch(entry.name)]
    viewers = [
        os.path.join(top, name)
        for top, _, names in os.walk(os.path.join(root, "viewers"))
        for name in names
        if _PAGE.fullmatch(name)
    ]
    for path in pages + viewers:
        os.unlink(path)


def _is_leftover(name: str, stems: set[str]) -> bool:
    match = _TEMPORARY.fullmatch(name)
    # Files beside a target, such as its standard deviations, begin with its name, too.
    return match is not None and any(match[1][:end] in stems for end in range(1, len(match[1]) + 1))
