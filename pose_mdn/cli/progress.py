"""A progress bar that stays away from short jobs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE_S = 1.0
"""Jobs shorter than this need no bar."""


class RowProgress:
    """Rows done of the file at work, on stderr."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._began_s = time.monotonic()
        self._task = progress.add_task("")

    def begin(self, description: str, rows: int) -> None:
        """Start a file of that many rows."""
        self._progress.reset(self._task, description=description, total=rows)
        self._show_when_late()

    def advance(self, rows: int) -> None:
        """Count rows as done."""
        self._progress.advance(self._task, rows)
        self._show_when_late()

    def _show_when_late(self) -> None:
        if not self._progress.live.is_started and time.monotonic() - self._began_s > PATIENCE_S:
            self._progress.start()


@contextmanager
def row_progress(*, unit: str = "rows") -> Iterator[RowProgress]:
    """A bar with counts and the time left, removed at the end; invisible if stderr is no terminal."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        yield RowProgress(progress)
    finally:
        progress.stop()
