"""Worker processes, and who works on what: jobs are handed out, the dead are replaced, nothing is lost.

A worker may die of a job: a reader crashes in a library, memory runs out. Who was it? All jobs that the worker had
begun are done again, each alone in a worker; one whose worker dies twice while it was alone has failed. Jobs that were
not begun go back into the queue. So a file that kills its worker is reported, its neighbours are done, and a worker
that somebody else killed costs nothing but time.
"""

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from multiprocessing.connection import wait

from pose_mdn.batch.engines.messages import LAST_WORDS, Message, job_events
from pose_mdn.batch.engines.worker_handle import WorkerHandle, said_by
from pose_mdn.batch.engines.worker_process import JOBS_AT_A_TIME
from pose_mdn.batch.events import Failed, JobEvent
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import WorkerError

TICK_S = 0.2
"""How often the pool looks up when nobody says anything."""

_JOBS_PER_WORKER = JOBS_AT_A_TIME + 1
"""The next one waits at the worker, so that it never waits for the parent."""

_DEATHS_ALLOWED = 1
_FIRST_DEATHS_ALLOWED = 3
"""How many workers in a row may die before they are ready."""

_LAST_WORDS_S = 10.0
"""How long an interrupted batch waits for jobs that cannot be dropped."""


class WorkerPool:
    """Processes that do jobs."""

    def __init__(
        self, jobs: Sequence[Job], settings: LiftSettings, *, processes: int, threads: int, patience_s: float
    ) -> None:
        """Prepare; processes are started by `run`."""
        self._jobs = jobs
        self._settings = settings
        self._processes = processes
        self._threads = threads
        self._patience_s = patience_s
        self._queue = deque(range(len(jobs)))
        self._suspects: deque[int] = deque()
        self._deaths: dict[int, int] = {}
        self._workers: list[WorkerHandle] = []
        self._died_early = 0
        self._open = len(jobs)
        self._stopped_s: float | None = None
        self._stop_wanted = False

    def stop(self) -> None:
        """Begin nothing new, drop what can be dropped; from any thread or signal handler."""
        self._stop_wanted = True

    def run(self) -> Generator[JobEvent, None, None]:
        """Do all jobs; see `Engine.run`."""
        try:
            while self._open and not self._has_stopped():
                self._hire()
                self._hand_out()
                for worker in self._talking():
                    yield from self._listen(worker)
                yield from self._end_patience()
            for worker in self._workers:
                worker.end()
            for worker in self._workers:
                worker.wait(1.0)
        finally:
            for worker in self._workers:
                worker.kill()
            for worker in self._workers:
                worker.wait(1.0)

    def _has_stopped(self) -> bool:
        """Whether the batch was interrupted and no job is under way any more."""
        if not self._stop_wanted:
            return False
        if self._stopped_s is None:
            self._stopped_s = time.monotonic()
            self._queue.clear()
            self._suspects.clear()
            for worker in self._workers:
                worker.send(("cancel",))
        late = time.monotonic() - self._stopped_s > _LAST_WORDS_S
        return late or not any(worker.load for worker in self._workers)

    def _hire(self) -> None:
        """Start as many workers as there are jobs for."""
        if self._stop_wanted:
            return
        while len(self._workers) < min(self._processes, self._open):
            self._workers.append(WorkerHandle(self._settings, self._threads))

    def _hand_out(self) -> None:
        """Give jobs to those who have fewest; suspects only to those who have none."""
        ready = [worker for worker in self._workers if worker.ready]
        for worker in ready:
            if self._suspects and not worker.load:
                worker.alone = True
                number = self._suspects.popleft()
                worker.give(number, self._jobs[number])
        # Towards the end nobody keeps jobs waiting that another could do.
        many = len(self._queue) > self._processes * _JOBS_PER_WORKER
        for level in range(_JOBS_PER_WORKER if many else 1):
            for worker in ready:
                if self._queue and worker.load <= level and not (worker.alone and worker.load):
                    worker.alone = False
                    number = self._queue.popleft()
                    worker.give(number, self._jobs[number])

    def _talking(self) -> list[WorkerHandle]:
        """Workers who have said something or died, after a short wait."""
        by_connection = {worker.connection: worker for worker in self._workers}
        return [by_connection[connection] for connection in wait(list(by_connection), TICK_S)]  # type: ignore[index]

    def _listen(self, worker: WorkerHandle) -> Iterator[JobEvent]:
        try:
            for message in worker.messages():
                yield from self._events(message)
        except EOFError:
            yield from self._bury(worker)

    def _events(self, message: Message) -> Iterator[JobEvent]:
        if message[0] == "fatal":
            raise message[1]
        if message[0] == "ready":
            self._died_early = 0
        elif message[0] in LAST_WORDS:
            self._open -= 1
        yield from job_events(self._jobs, message)

    def _bury(self, worker: WorkerHandle) -> Iterator[JobEvent]:
        """Take the jobs of a worker that died back, and say which has failed."""
        self._workers.remove(worker)
        exit_code = worker.wait(5.0)
        if not worker.ready:
            self._died_early += 1
            if self._died_early >= _FIRST_DEATHS_ALLOWED:
                raise WorkerError(
                    f"workers: expected processes that start, got {self._died_early} in a row of which the last "
                    f"{said_by(exit_code)}; see what they printed, or use --workers 1"
                )
        if self._stop_wanted:
            return
        begun = list(worker.moved_s)
        self._queue.extendleft(reversed(worker.waiting))
        if len(begun) > 1:
            self._suspects.extend(begun)
            return
        for number in begun:
            self._deaths[number] = self._deaths.get(number, 0) + 1
            if self._deaths[number] <= _DEATHS_ALLOWED:
                self._suspects.append(number)
                continue
            self._open -= 1
            job = self._jobs[number]
            reason = f"the process that worked on it {said_by(exit_code)}, each time it was tried"
            yield Failed(job=job, error=f"{job.label}: {reason}; the file is probably damaged")

    def _end_patience(self) -> Iterator[JobEvent]:
        """Replace workers in which a job is stuck."""
        for worker in list(self._workers) if self._patience_s else ():
            stuck = worker.stuck(self._patience_s)
            if not stuck:
                continue
            self._workers.remove(worker)
            worker.kill()
            worker.wait(5.0)
            self._queue.extendleft(reversed(worker.waiting))
            moving = [number for number in worker.moved_s if number not in stuck]
            # One that is stuck may hold up the others of its process; who is stuck alone has no excuse.
            if len(stuck) > 1:
                self._suspects.extend([*stuck, *moving])
                continue
            self._suspects.extend(moving)
            self._open -= 1
            job = self._jobs[stuck[0]]
            yield Failed(
                job=job,
                error=f"{job.label}: nothing moved for {self._patience_s:g} s; the file is probably damaged, "
                "or --patience too short",
            )
