"""The actor in the cluster that runs the jobs through Ray Data.

It sits in the cluster and not in the user's process, so that all addresses work alike (Ray Data does not work through
`ray://`), so that Ray's messages stay in Ray's logs, and so that ending this one actor ends all work.
"""

import pickle
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pose_mdn.batch.engines.messages import Message
from pose_mdn.batch.engines.ray_cluster import Crew
from pose_mdn.batch.engines.ray_standing import Standings
from pose_mdn.batch.engines.ray_worker import LiftActor
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings

MAX_BLOCKS = 2000
"""A block is what Ray Data hands out and counts; with more jobs than this, blocks hold several."""

TASKS_PER_WORKER = 2
"""Blocks at a worker: one is worked on while the next one travels. The others wait at the conductor."""

CALLS_AT_A_TIME = 16


class Conductor:
    """Feeds jobs to workers and collects what becomes of them."""

    def __init__(self, jobs: Sequence[Job], settings: LiftSettings, patience_s: float) -> None:
        """Prepare; nothing is started before `start`."""
        self._jobs = jobs
        self._settings = settings
        self._standings = Standings(jobs=jobs, patience_s=patience_s)
        self._lock = threading.Lock()
        self._ended: str | None = None
        self._fatal: str | None = None

    def start(self, crew: Crew, threads: int, folder: str) -> None:
        """Begin to do the jobs.

        Args:
            crew: How many workers.
            threads: How many slices of a job each lifts at a time.
            folder: Where relative paths begin.
        """
        import ray  # noqa: PLC0415

        me = ray.get_runtime_context().current_actor
        arguments = {"conductor": me, "settings": self._settings, "threads": threads, "folder": folder}
        threading.Thread(target=self._conduct, args=(crew, arguments), daemon=True, name="conductor").start()

    def begin(self, number: int, worker: Any) -> str | None:
        """For workers: whether to begin a job; why not, if not."""
        with self._lock:
            return self._standings.begin(number, worker)

    def rows(self, number: int, done: int, total: int) -> None:
        """For workers: how many rows of a job are done in all."""
        with self._lock:
            self._standings.rows(number, done, total)

    def take(self) -> tuple[list[Message], str | None, str | None]:
        """For the engine.

        Returns:
            Messages since the last call; why no job can be done, if so; how the work ended, if it has: "" for well.
        """
        import ray  # noqa: PLC0415

        with self._lock:
            stuck = self._standings.stuck()
            answer = self._standings.take(), self._fatal, self._ended
        for worker in stuck:
            # The worker is started again, and is told to leave that job alone.
            ray.kill(worker, no_restart=False)
        return answer

    def peak(self) -> int:
        """The most jobs that were worked on at a time."""
        return self._standings.peak

    def _conduct(self, crew: Crew, arguments: dict[str, Any]) -> None:
        try:
            for message in self._said(crew, arguments):
                with self._lock:
                    if message[0] == "fatal":
                        self._fatal = message[1]
                        return
                    self._standings.settle(message)
            self._ended = ""
        except Exception as error:  # whatever Ray raises is told to the user in the process that can print it
            with self._lock:
                self._ended = " ".join(f"{type(error).__name__}: {error}".split())[:300]

    def _said(self, crew: Crew, arguments: dict[str, Any]) -> Iterator[Message]:
        """Last words of the jobs, as Ray Data brings them."""
        import ray.data  # noqa: PLC0415

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # A large file may take longer than any time that fits all; `patience_s` watches each job by its rows.
        with suppress(AttributeError):
            context.execution_no_progress_timeout_s = -1
        rows = [{"number": number, "job": pickle.dumps(job)} for number, job in enumerate(self._jobs)]
        dataset = ray.data.from_items(rows, override_num_blocks=min(len(rows), MAX_BLOCKS)).map_batches(
            LiftActor,
            fn_constructor_kwargs=arguments,
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=crew.cpus,
            compute=ray.data.ActorPoolStrategy(
                # The pool may shrink to one worker, so that idle ones make room for those that are started again.
                min_size=1,
                max_size=crew.workers,
                initial_size=crew.workers,
                max_tasks_in_flight_per_actor=TASKS_PER_WORKER,
            ),
        )
        batches: Iterable[Any] = dataset.iter_batches(batch_size=1, batch_format="pyarrow", prefetch_batches=0)
        for batch in batches:
            yield from (pickle.loads(said) for said in batch.column("said").to_pylist())
