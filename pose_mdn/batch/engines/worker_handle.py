"""A worker process as its parent sees it."""

import pickle
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context

from pose_mdn.batch.engines.messages import LAST_WORDS, Message
from pose_mdn.batch.engines.worker_process import run_worker
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings


class WorkerHandle:
    """A process, its pipe, and the jobs that it was given.

    Attributes:
        connection: The parent's end of the pipe.
        ready: Whether the model is loaded.
        waiting: Numbers of jobs given and not begun.
        moved_s: Of the jobs begun, by number, when something of them was heard last.
        alone: Whether it may have one job only.
    """

    def __init__(self, settings: LiftSettings, threads: int) -> None:
        """Start the process."""
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=run_worker, args=(theirs, pickle.dumps(settings), threads), name="pose-mdn worker", daemon=True
        )
        with _interrupts_held_back():
            self._process.start()
        # Only the worker may hold it, so that its end closes when the worker dies.
        theirs.close()
        self.ready = False
        self.alone = False
        self.waiting: list[int] = []
        self.moved_s: dict[int, float] = {}

    @property
    def load(self) -> int:
        """How many jobs it has."""
        return len(self.waiting) + len(self.moved_s)

    def give(self, number: int, job: Job) -> None:
        """Hand a job over; one that the worker is too dead to take is found in `waiting` later."""
        self.waiting.append(number)
        self.send(("job", number, job))

    def send(self, message: Message) -> None:
        """Send a message; nothing happens if the worker is gone."""
        with suppress(OSError):
            self.connection.send(message)

    def messages(self) -> Iterator[Message]:
        """What has arrived; raises `EOFError` once the worker is gone and all that it said was heard."""
        while self.connection.poll():
            try:
                message: Message = self.connection.recv()
            except (OSError, pickle.UnpicklingError) as error:
                # It died in the middle of a word.
                raise EOFError from error
            self._note(message)
            yield message

    def stuck(self, patience_s: float) -> list[int]:
        """Numbers of the jobs in which nothing has moved for so long."""
        now_s = time.monotonic()
        return [number for number, moved_s in self.moved_s.items() if now_s - moved_s > patience_s]

    def end(self) -> None:
        """Ask it to end; it has no jobs."""
        self.send(("end",))

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code once it has ended; `None` if it has not in time."""
        self._process.join(timeout_s)
        return self._process.exitcode

    def _note(self, message: Message) -> None:
        word = message[0]
        if word == "ready":
            self.ready = True
        elif word == "began":
            self.waiting.remove(message[1])
        if word in {"began", "rows"}:
            self.moved_s[message[1]] = time.monotonic()
        elif word in LAST_WORDS:
            self.moved_s.pop(message[1], None)
            if message[1] in self.waiting:
                self.waiting.remove(message[1])


def said_by(exit_code: int | None) -> str:
    """What an exit code tells of how a process ended."""
    if exit_code is None or exit_code >= 0:
        return f"ended with code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"was ended by {name}" + (", perhaps for want of memory" if name == "SIGKILL" else "")


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold back Ctrl-C while a process starts, which inherits that: until it ignores Ctrl-C itself, it would die."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
