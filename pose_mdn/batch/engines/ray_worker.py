"""What an actor of Ray Data does: it holds the model, does one job at a time, and tells the conductor how it goes."""

import os
import pickle
import queue
import time
from contextlib import suppress
from typing import Any

from pose_mdn.batch.engines.messages import LAST_WORDS, Message
from pose_mdn.batch.engines.worker_process import JobThreads
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.work import JobWorker
from pose_mdn.errors import PoseMDNError

REPORT_EVERY_S = 0.25
"""A call to the conductor for each slice of 512 rows would cost as much as small models take to lift them."""


class LiftActor:
    """A callable class for `Dataset.map_batches`: rows of (number, job) become rows of (number, last words)."""

    def __init__(self, conductor: Any, settings: LiftSettings, threads: int, folder: str) -> None:
        """Load the model.

        Args:
            conductor: Handle of the actor that hears of progress.
            settings: How to read, lift and write.
            threads: How many slices of a job are lifted at a time.
            folder: Where relative paths begin.
        """
        self._conductor = conductor
        self._said: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._fatal: str | None = None
        # Paths keep the words of the user, in results and in messages.
        with suppress(OSError):
            os.chdir(folder)
        try:
            self._work = JobThreads(JobWorker(settings, threads=threads), self._said.put, threads=1)
        except PoseMDNError as error:
            # Raised here, it would come out of Ray Data as something else, after several restarts.
            self._fatal = str(error)

    def __call__(self, batch: Any) -> Any:
        """Do the jobs of a table with the columns `number` and `job`."""
        import pyarrow  # noqa: PLC0415

        numbers = batch.column("number").to_pylist()
        jobs = [pickle.loads(job) for job in batch.column("job").to_pylist()]
        said = [self._last_words(number, job) for number, job in zip(numbers, jobs, strict=True)]
        return pyarrow.table({"number": numbers, "said": [pickle.dumps(message) for message in said]})

    def _last_words(self, number: int, job: Job) -> Message:
        if self._fatal is not None:
            return ("fatal", self._fatal)
        refusal = self._begin(number)
        if refusal is not None:
            return ("failed", number, refusal)
        self._work.submit(number, job)
        report = _Report(self._conductor, number)
        while (message := self._said.get())[0] not in LAST_WORDS:
            if message[0] == "rows":
                report.add(message[2], message[3])
        return message

    def _begin(self, number: int) -> str | None:
        import ray  # noqa: PLC0415

        refusal: str | None = ray.get(self._conductor.begin.remote(number, ray.get_runtime_context().current_actor))
        return refusal


class _Report:
    """Rows of one job on their way to the conductor. Totals are sent, so that nothing is lost with a message."""

    def __init__(self, conductor: Any, number: int) -> None:
        self._conductor = conductor
        self._number = number
        self._done = 0
        self._sent_s = 0.0

    def add(self, rows: int, total: int) -> None:
        self._done += rows
        now_s = time.monotonic()
        if rows == 0 or self._done >= total or now_s - self._sent_s >= REPORT_EVERY_S:
            self._sent_s = now_s
            self._conductor.rows.remote(self._number, self._done, total)
