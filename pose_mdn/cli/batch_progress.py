"""Bars of a batch on stderr: one for the whole, one for each file that takes its time."""

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pose_mdn.batch.events import Advanced, Done, Event, Failed, Planned, Started
from pose_mdn.batch.job import Job
from pose_mdn.cli.progress import PATIENCE_S

if TYPE_CHECKING:
    from rich.progress import TaskID

_MAX_FILES_SHOWN = 8
_WHOLE = 1000
"""Length of the bar of all jobs; each job counts the same, in proportion to its rows that are done."""


class BatchProgress:
    """Draws the events of a batch. Batches that are over within a second, and files likewise, get no bar.

    Bars have counts, rates and the time left, and are removed at the end.
    """

    def __init__(self, console: Console | None = None) -> None:
        """Draw on a console, which is stderr if left out."""
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
            transient=True,
        )
        self._began_s = time.monotonic()
        self._all: TaskID | None = None
        self._files: dict[Job, _File] = {}
        self._jobs = self._ended = self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Draw an event."""
        match event:
            case Planned():
                self._jobs = event.jobs - event.skipped
                self._all = self._progress.add_task("", total=_WHOLE, note="", visible=self._jobs > 1)
            case Started():
                self._hide(event.job)
                self._files[event.job] = _File(event.rows)
            case Advanced():
                self._rows += event.rows
                self._advance(event.job, event.rows)
            case Done():
                self._end(event.result.job)
            case Failed():
                self._end(event.job)
        self._show_when_late()

    def _advance(self, job: Job, rows: int) -> None:
        file = self._files.setdefault(job, _File(rows))
        file.done += rows
        shown = sum(other.task is not None for other in self._files.values())
        late = time.monotonic() - file.began_s > PATIENCE_S or self._jobs == 1
        if file.task is None and late and shown < _MAX_FILES_SHOWN:
            file.task = self._progress.add_task(job.label, total=file.rows, note="")
        if file.task is not None:
            self._progress.update(file.task, completed=file.done, note=f"{file.done}/{file.rows} rows")
        self._update()

    def _end(self, job: Job) -> None:
        self._hide(job)
        self._ended += 1
        self._update()

    def _hide(self, job: Job) -> None:
        file = self._files.pop(job, None)
        if file is not None and file.task is not None:
            self._progress.remove_task(file.task)

    def _update(self) -> None:
        if self._all is None or not self._jobs:
            return
        begun = sum(min(file.done / file.rows, 1.0) for file in self._files.values() if file.rows)
        seconds = max(time.monotonic() - self._began_s, 1e-3)
        rates = f"{self._rate(self._ended / seconds)} files/s, {self._rate(self._rows / seconds)} rows/s"
        note = f"{self._ended}/{self._jobs} files, {rates}"
        self._progress.update(self._all, completed=_WHOLE * (self._ended + begun) / self._jobs, note=note)

    @staticmethod
    def _rate(rate: float) -> str:
        return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"

    def _show_when_late(self) -> None:
        if not self._progress.live.is_started and time.monotonic() - self._began_s > PATIENCE_S:
            self._progress.start()


class _File:
    """A file that is being lifted."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.done = 0
        self.began_s = time.monotonic()
        self.task: TaskID | None = None
