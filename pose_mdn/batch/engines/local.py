"""Jobs done by this machine."""

import os
import queue
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from pose_mdn.batch.engines.engine import EngineOptions
from pose_mdn.batch.engines.messages import LAST_WORDS, Message, job_events
from pose_mdn.batch.events import JobEvent
from pose_mdn.batch.job import STDIN, Job
from pose_mdn.batch.settings import LiftSettings

if TYPE_CHECKING:
    from pose_mdn.batch.engines.pool import WorkerPool

_TICK_S = 0.2


class LocalEngine:
    """Worker processes of this machine. A single job is done in this very process, which is there already."""

    name = "local"

    def __init__(self, options: EngineOptions | None = None) -> None:
        """Prepare; nothing is started before `run`."""
        self._options = options or EngineOptions()
        self._pool: WorkerPool | None = None
        self._stopped = False

    def stop(self) -> None:
        """Begin nothing new and let `run` end soon."""
        self._stopped = True
        if self._pool is not None:
            self._pool.stop()

    def run(self, jobs: Sequence[Job], settings: LiftSettings) -> Generator[JobEvent, None, None]:
        """Do all jobs; see `Engine.run`."""
        options = self._options
        workers = options.workers or available_cores()
        # What is piped in can be read by this process only.
        if (len(jobs) < 2 and not options.apart) or any(job.source == STDIN for job in jobs):
            yield from self._run_here(jobs, settings, options.threads or workers)
            return
        processes = min(workers, len(jobs))
        from pose_mdn.batch.engines.pool import WorkerPool  # noqa: PLC0415

        self._pool = WorkerPool(
            jobs,
            settings,
            processes=processes,
            threads=options.threads or max(1, workers // processes),
            patience_s=options.patience_s,
        )
        if self._stopped:
            return
        yield from self._pool.run()

    def _run_here(self, jobs: Sequence[Job], settings: LiftSettings, threads: int) -> Generator[JobEvent, None, None]:
        """Do the jobs one after another in a thread of this process."""
        if not jobs:
            return
        from pose_mdn.batch.engines.worker_process import JobThreads  # noqa: PLC0415
        from pose_mdn.batch.work import JobWorker  # noqa: PLC0415

        said: queue.SimpleQueue[Message] = queue.SimpleQueue()
        with JobWorker(settings, threads=threads) as worker:
            work = JobThreads(worker, said.put, threads=1)
            for number, job in enumerate(jobs):
                work.submit(number, job)
            left = len(jobs)
            while left:
                if self._stopped:
                    work.cancel()
                try:
                    message = said.get(timeout=_TICK_S)
                except queue.Empty:
                    continue
                left -= message[0] in LAST_WORDS
                yield from job_events(jobs, message)


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
