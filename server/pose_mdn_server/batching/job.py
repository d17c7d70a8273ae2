"""Rows of one call on their way through a model."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn_server.batching.lane import Columns, Lane
from pose_mdn_server.calls import Call, Pending


class Job:
    """The rows of one call: which were taken into batches, and what came out for them.

    Attributes:
        lane: Which function they go through.
        rows: How many there are.
        call: Who waits for them.
        answer: The columns, once all rows are through.
        submitted: `time.perf_counter()` of its arrival in the queue.
    """

    __slots__ = ("_columns", "_put", "_taken", "_whole", "answer", "call", "lane", "rows", "submitted")

    def __init__(self, lane: Lane, columns: Columns, rows: int, call: Call) -> None:
        self.lane = lane
        self.rows = rows
        self.call = call
        self.answer: Pending[Columns] = Pending()
        self._columns = columns
        self._taken = 0
        self._put = 0
        self._whole: dict[str, NDArray[Any]] = {}
        self.submitted = time.perf_counter()

    @property
    def waiting(self) -> int:
        """Rows that no batch has taken yet."""
        return self.rows - self._taken

    def take(self, room: int) -> Columns:
        """The next rows, at most `room` of them."""
        begin, end = self._taken, min(self._taken + room, self.rows)
        if begin == 0:
            self.call.queued_s += time.perf_counter() - self.submitted
        self._taken = end
        if end - begin == self.rows:
            return self._columns
        return {name: column[begin:end] for name, column in self._columns.items()}

    def put(self, part: Columns, seconds: float) -> None:
        """The answers for the rows that were taken last, which come in their order."""
        self.call.ran_s += seconds
        if self.answer.done:
            return
        count = len(next(iter(part.values())))
        if count == self.rows:
            self.answer.resolve(part)
            return
        # Copied while they are still in the cache, rather than joined at the end.
        if not self._whole:
            self._whole = {name: np.empty((self.rows, *rows.shape[1:]), rows.dtype) for name, rows in part.items()}
        for name, rows in part.items():
            self._whole[name][self._put : self._put + count] = rows
        self._put += count
        if self._put == self.rows:
            self.answer.resolve(self._whole)
