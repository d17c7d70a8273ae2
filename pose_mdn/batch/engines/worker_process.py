"""What a worker process does: it takes jobs from its pipe, works on two at a time, and says how they go."""

import logging
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from pose_mdn.batch.engines.messages import Message
from pose_mdn.batch.job import Job
from pose_mdn.batch.work import JobWorker
from pose_mdn.errors import PoseMDNError

JOBS_AT_A_TIME = 2
"""While one job waits for the disk, the other computes."""

_ORPHANED = 3
"""Exit code of a worker whose parent is gone."""

_log = logging.getLogger(__name__)


class JobDroppedError(Exception):
    """The batch was interrupted while a job was under way."""


class JobThreads:
    """Threads that do jobs by one worker and report by messages."""

    def __init__(self, worker: JobWorker, send: Callable[[Message], None], *, threads: int = JOBS_AT_A_TIME) -> None:
        """Start the threads; `send` is called from all of them."""
        self._worker = worker
        self._send = send
        self._cancelled = threading.Event()
        self._jobs: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True, name=f"job-{n}") for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, number: int, job: Job) -> None:
        """Do a job when a thread is free."""
        self._jobs.put((number, job))

    def cancel(self) -> None:
        """Drop what waits and what is being read or lifted; what is being written is finished."""
        self._cancelled.set()

    def finish(self) -> None:
        """Wait until all is done that was submitted."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._jobs.get()) is not None:
            self._send(self._outcome(*task))

    def _outcome(self, number: int, job: Job) -> Message:
        def on_rows(done: int, total: int) -> None:
            if self._cancelled.is_set():
                raise JobDroppedError
            self._send(("rows", number, done, total))

        if self._cancelled.is_set():
            return ("dropped", number)
        self._send(("began", number))
        try:
            return ("done", number, self._worker.run(job, on_rows))
        except JobDroppedError:
            return ("dropped", number)
        except PoseMDNError as error:
            text = " ".join(str(error).split())
            return ("failed", number, text if job.source in text else f"{job.source}: {text}")
        except MemoryError:
            return ("failed", number, f"{job.label}: not enough memory; lift it alone or in parts")
        except Exception as error:  # a fault of ours must not spoil the neighbours
            _log.exception("%s", job.label)
            return ("failed", number, f"{job.label}: internal error: {type(error).__name__}: {str(error)[:200]}")


def run_worker(connection: Connection, settings: bytes, threads: int) -> None:
    """The main function of a worker process.

    Args:
        connection: This end of the pipe.
        settings: Pickled `LiftSettings`.
        threads: How many slices of one job are lifted at a time.
    """
    # Ctrl-C reaches every process of a terminal; the parent decides what becomes of the jobs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The processes are the parallelism. Set before numpy is imported, which happens when settings are unpickled.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    lock = threading.Lock()

    def send(message: Message) -> None:
        try:
            with lock:
                connection.send(message)
        except OSError:
            os._exit(_ORPHANED)

    try:
        worker = JobWorker(pickle.loads(settings), threads=threads)
    except PoseMDNError as error:
        send(("fatal", error))
        return
    send(("ready",))
    _serve(connection, JobThreads(worker, send))
    # All outputs are on disk; taking the interpreter apart would only take time.
    os._exit(0)


def _serve(connection: Connection, jobs: JobThreads) -> None:
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            os._exit(_ORPHANED)
        match message:
            case ("job", int(number), Job() as job):
                jobs.submit(number, job)
            case ("cancel",):
                jobs.cancel()
            case ("end",):
                with suppress(OSError):
                    jobs.finish()
                return
