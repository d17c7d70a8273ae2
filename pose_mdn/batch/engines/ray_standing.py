"""How the jobs of a cluster stand: who works on what, what was heard, and who must not be tried again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pose_mdn.batch.engines.messages import LAST_WORDS, Message
from pose_mdn.batch.job import Job

TRIES = 3
"""A job whose worker ended so many times has failed. A node may die without the job's fault, but hardly thrice."""


@dataclass(kw_only=True)
class Standing:
    """A job that is being worked on.

    Attributes:
        worker: Handle of the actor.
        moved_s: When something of it was heard last.
        done: Rows reported so far.
    """

    worker: Any
    moved_s: float
    done: int = 0


@dataclass(kw_only=True)
class Standings:
    """All jobs, by number. Messages are those of worker processes (`pose_mdn.batch.engines.messages`).

    Attributes:
        jobs: In the order of the plan.
        patience_s: A job in which nothing moves for so long has failed; 0 waits for ever.
        clock: Seconds, from any beginning.
        peak: The most jobs that were worked on at a time.
    """

    jobs: Sequence[Job]
    patience_s: float = 0.0
    clock: Callable[[], float] = time.monotonic
    peak: int = 0
    _working: dict[int, Standing] = field(default_factory=dict)
    _tries: dict[int, int] = field(default_factory=dict)
    _settled: set[int] = field(default_factory=set)
    _given_up: dict[int, str] = field(default_factory=dict)
    _heard: list[Message] = field(default_factory=list)

    @property
    def open(self) -> int:
        """How many jobs have no result yet."""
        return len(self.jobs) - len(self._settled)

    def begin(self, number: int, worker: Any) -> str | None:
        """Note that a worker is about to begin a job.

        Returns:
            Why it must not; `None` if it may.
        """
        if number in self._given_up:
            return self._given_up[number]
        tries = self._tries.get(number, 0)
        if tries >= TRIES:
            label = self.jobs[number].label
            return (
                f"{label}: the process that worked on it ended, each of {tries} times that it was tried; the file is "
                "probably damaged, or needs more memory than a node has"
            )
        self._tries[number] = tries + 1
        self._working[number] = Standing(worker=worker, moved_s=self.clock())
        self.peak = max(self.peak, len(self._working))
        return None

    def rows(self, number: int, done: int, total: int) -> None:
        """Note how many rows of a job are done in all; the first time none is."""
        standing = self._working.get(number)
        if standing is None:
            return
        standing.moved_s = self.clock()
        if done == 0:
            standing.done = 0
            self._heard.append(("rows", number, 0, total))
        elif done > standing.done:
            self._heard.append(("rows", number, done - standing.done, total))
            standing.done = done

    def settle(self, message: Message) -> None:
        """Note a job's last words. A job that was done twice, because word of the first time was lost, counts once."""
        word, number = message[:2]
        assert word in LAST_WORDS
        self._working.pop(number, None)
        if number not in self._settled:
            self._settled.add(number)
            self._heard.append(message)

    def stuck(self) -> list[Any]:
        """Give up jobs in which nothing moves; the workers that have them, which must be ended."""
        if not self.patience_s:
            return []
        late_s = self.clock() - self.patience_s
        stuck = {number: standing for number, standing in self._working.items() if standing.moved_s < late_s}
        for number, standing in stuck.items():
            self._given_up[number] = (
                f"{self.jobs[number].label}: nothing moved for {self.patience_s:g} s; the file is probably damaged, "
                "or --patience too short"
            )
            del self._working[number]
            assert standing
        return [standing.worker for standing in stuck.values()]

    def take(self) -> list[Message]:
        """What was heard since the last call, in order."""
        heard, self._heard = self._heard, []
        return heard
