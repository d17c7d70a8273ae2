"""The dynamic batcher: greedy, without a timer.

Whenever its owner has nothing else to do it takes what waits, up to a full batch, and runs it. With little to do every
call therefore runs at once and alone; under load calls gather while the last batch runs, and batches grow by
themselves. A long call goes through in slices, between which short ones get their turn.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pose_mdn_server.batching.job import Job
from pose_mdn_server.batching.lane import Columns, Lane
from pose_mdn_server.batching.queue import JobQueue
from pose_mdn_server.calls import Call, Pending, Priority
from pose_mdn_server.errors import QueueFullError

_LOG = logging.getLogger(__name__)

_FEW_ROWS = 8
_KEPT_FOR_FEW = 0.25
"""Share of the queue that only jobs of few rows may fill: who sends much cannot keep out who sends little."""

_FIRST_GUESS_S = 5e-5
"""What a row takes, until some were timed."""


@dataclass(frozen=True, kw_only=True)
class BatcherSettings:
    """How a batcher cuts and bounds.

    Attributes:
        max_batch: Rows in one run of a model.
        max_queued: Rows that may wait.
        bulk_rows: A job of more rows than this waits behind those of fewer.
    """

    max_batch: int = 256
    max_queued: int = 32_768
    bulk_rows: int = 64


class BatchObserver(Protocol):
    """Who counts batches."""

    def batch_ran(self, model: str, poses: int, seconds: float) -> None:
        """A model ran."""


class Batcher:
    """Takes jobs from any thread and runs them when its owner, who is one thread, says so.

    Attributes:
        on_work: Called when a job was submitted, by the thread that did.
    """

    def __init__(self, settings: BatcherSettings, *, observer: BatchObserver) -> None:
        self._settings = settings
        self._observer = observer
        self._queue = JobQueue()
        self._lock = threading.Lock()
        self._seconds_per_row = _FIRST_GUESS_S
        self.on_work: Callable[[], None] = _nobody

    @property
    def queued_rows(self) -> int:
        """Rows that wait."""
        return self._queue.rows

    def submit(self, lane: Lane, columns: Columns, call: Call) -> Pending[Columns]:
        """Let rows wait for their turn.

        Args:
            lane: What they go through.
            columns: The rows, at least one.
            call: Who waits for them.

        Returns:
            The answers' rows, to come.

        Raises:
            QueueFullError: More rows wait than may. A job that finds the queue empty is always taken.
        """
        rows = len(next(iter(columns.values())))
        if rows > self._settings.bulk_rows:
            call.priority = Priority.BULK
        job = Job(lane, columns, rows, call)
        with self._lock:
            self._require_room(rows)
            self._queue.add(job)
        self.on_work()
        return job.answer

    def run_once(self) -> bool:
        """Run one batch of what waits. False if nothing did."""
        with self._lock:
            chosen = self._queue.next_batch(self._settings.max_batch)
        if not chosen:
            return False
        lane = chosen[0][0].lane
        parts = [job.take(rows) for job, rows in chosen]
        began = time.perf_counter()
        try:
            answers = _run(lane, parts)
        except Exception as error:  # one call's rows must not fail its neighbours', whatever is wrong with them
            self._run_apart(chosen, parts, error)
            return True
        seconds = time.perf_counter() - began
        begin = 0
        for job, count in chosen:
            job.put({name: column[begin : begin + count] for name, column in answers.items()}, seconds)
            begin += count
        # The counts come last: somebody waits for the answers.
        self._seconds_per_row += 0.1 * (seconds / begin - self._seconds_per_row)
        self._observer.batch_ran(lane.model, begin, seconds)
        return True

    def _require_room(self, rows: int) -> None:
        most = self._settings.max_queued
        if rows > _FEW_ROWS:
            most = int(most * (1 - _KEPT_FOR_FEW))
        if self._queue.rows and self._queue.rows + rows > most:
            self._queue.drop_abandoned()
        waiting = self._queue.rows
        if waiting and waiting + rows > most:
            raise QueueFullError(
                f"expected at most {most} poses to wait, got {rows} more beside the {waiting} that do; try again when "
                "RetryInfo says, or send fewer at a time",
                retry_after_s=max(0.01, waiting * self._seconds_per_row),
            )

    def _run_apart(self, chosen: Sequence[tuple[Job, int]], parts: Sequence[Columns], error: Exception) -> None:
        for (job, _), part in zip(chosen, parts, strict=True):
            began = time.perf_counter()
            try:
                found = error if len(chosen) == 1 else job.lane.run(part)
            except Exception as own:
                found = own
            if isinstance(found, Exception):
                _LOG.error("a batch of %s failed, request id %s", job.lane.model, job.call.request_id, exc_info=found)
                job.answer.fail(found)
            else:
                job.put(found, time.perf_counter() - began)


def _run(lane: Lane, parts: Sequence[Columns]) -> Columns:
    if len(parts) == 1:
        return lane.run(parts[0])
    return lane.run({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _nobody() -> None:
    """Nobody needs to know that there is work."""
