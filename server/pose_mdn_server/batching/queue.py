"""Jobs that wait, and which of them make the next batch."""

from collections import deque
from collections.abc import Hashable

from pose_mdn_server.batching.job import Job
from pose_mdn_server.calls import Priority
from pose_mdn_server.errors import CallerGoneError, OverdueError

BULK_SHARE = 4
"""While both wait, one batch of so many is of bulk jobs."""

_Lines = dict[Hashable, deque[Job]]
"""A line of waiting jobs for each lane; no line is empty."""


class JobQueue:
    """Jobs in the order of their arrival, by priority and lane.

    Attributes:
        rows: How many rows wait.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._lines: dict[Priority, _Lines] = {priority: {} for priority in Priority}
        self._since_bulk = 0

    def add(self, job: Job) -> None:
        """Let a job wait."""
        self._lines[job.call.priority].setdefault(job.lane.key, deque()).append(job)
        self.rows += job.waiting

    def next_batch(self, room: int) -> list[tuple[Job, int]]:
        """Jobs of one lane and how many rows of each to take, at most `room` together; the oldest first.

        Jobs for whose answer nobody waits any more fail and leave here, before a model runs. A job that is taken in
        part goes on waiting with the rest, in its place.
        """
        chosen: list[tuple[Job, int]] = []
        while self.rows and not chosen:
            first, second = self._order()
            lane = _oldest(first or second)
            for lines in (first, second):
                room = self._take(lines, lane, room, chosen)
        return chosen

    def drop_abandoned(self) -> None:
        """Have every job fail and leave for whose answer nobody waits."""
        for lines in self._lines.values():
            for lane, line in tuple(lines.items()):
                kept = deque(job for job in line if not self._dropped(job))
                lines[lane] = kept
                if not kept:
                    del lines[lane]

    def _order(self) -> tuple[_Lines, _Lines]:
        """Whose turn it is, and who may fill up what room is left."""
        interactive, bulk = self._lines[Priority.INTERACTIVE], self._lines[Priority.BULK]
        bulk_is_due = bool(bulk) and self._since_bulk >= BULK_SHARE - 1
        self._since_bulk = self._since_bulk + 1 if bulk and not bulk_is_due else 0
        return (bulk, interactive) if bulk_is_due else (interactive, bulk)

    def _take(self, lines: _Lines, lane: Hashable, room: int, chosen: list[tuple[Job, int]]) -> int:
        """Choose jobs of a lane; gives the room that is left."""
        line = lines.get(lane)
        while line and room:
            job = line[0]
            if self._dropped(job):
                line.popleft()
                continue
            rows = min(job.waiting, room)
            chosen.append((job, rows))
            room -= rows
            self.rows -= rows
            if rows == job.waiting:
                line.popleft()
        if line is not None and not line:
            del lines[lane]
        return room

    def _dropped(self, job: Job) -> bool:
        """Whether nobody waits for a job's answer, which then fails."""
        if not job.call.is_over:
            return False
        self.rows -= job.waiting
        if job.call.is_abandoned:
            job.answer.fail(CallerGoneError("the caller cancelled while the poses waited"))
        else:
            job.answer.fail(
                OverdueError("the deadline passed while the poses waited; allow more time, or send fewer at a time")
            )
        return True


def _oldest(lines: _Lines) -> Hashable:
    """The lane whose first job has waited longest."""
    return min(lines, key=lambda lane: lines[lane][0].submitted)
