"""Notices that files have changed, at a cost that a call can bear."""

import os
import time
from pathlib import Path

LOOK_EVERY_S = 1.0
"""Files are looked at no more often than this."""


class WatchedFiles:
    """Files that somebody may replace while the server runs.

    A file has changed when its time of change, its size or its inode differs; links are followed, so that a file which
    is exchanged by turning a link (as Kubernetes does with its secrets) counts as changed.
    """

    def __init__(self, *paths: Path, look_every_s: float = LOOK_EVERY_S) -> None:
        self._paths = paths
        self._every_s = look_every_s
        self._next_look = time.monotonic() + look_every_s
        self._seen = self._look()

    def due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() >= self._next_look

    def changed(self) -> bool:
        """Whether the files differ from when this was last asked; one that is missing differs from one that is not."""
        self._next_look = time.monotonic() + self._every_s
        now = self._look()
        differs = now != self._seen
        self._seen = now
        return differs

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_signature(path) for path in self._paths)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
