"""Log lines on their way out, which never make anybody wait.

Whoever logs puts a line into a bounded buffer; a thread of its own writes. If the other end of stderr stops reading, or
a disk is full, lines are given up and counted, and the count is said as soon as a line gets through again.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable

Line = Callable[[], str]
"""Makes the text of a line, without its end; called by the writing thread."""

_GATHER_S = 0.05
_CAPACITY = 16_384
_CHUNK_BYTES = 64 * 1024


class LogBuffer:
    """A bounded queue of lines and the thread that writes them to a file descriptor."""

    def __init__(self, *, descriptor: int, said: Callable[[int], str], capacity: int = _CAPACITY) -> None:
        """`said` gives the line that tells how many lines were dropped."""
        self._descriptor = descriptor
        self._said = said
        self._capacity = capacity
        self._lines: deque[Line] = deque()
        self._lock = threading.Lock()
        self._dropped = 0
        self._unsaid = 0
        self._stopping = False
        self._awake = threading.Event()
        self._urgent = threading.Event()
        self._busy = False
        self._torn = False
        # A daemon: it may be stuck in a write for ever, which must not keep the process from ending.
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many lines were given up so far."""
        return self._dropped

    def put(self, line: Line, *, urgent: bool = False) -> None:
        """Have a line written soon; at once if it is urgent. Never waits for the writing."""
        if len(self._lines) >= self._capacity:
            self._drop(1)
            return
        self._lines.append(line)
        if not self._awake.is_set():
            self._awake.set()
        if urgent:
            self._urgent.set()

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait until all lines are out; false if they were not in time."""
        until = time.monotonic() + timeout_s
        while self._lines or self._busy:
            if time.monotonic() > until:
                return False
            self._urgent.set()
            time.sleep(0.001)
        return True

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what is there, as far as it can be written in time, and end the thread."""
        self._stopping = True
        self._urgent.set()
        self._awake.set()
        self._thread.join(timeout_s)

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count
            self._unsaid += count

    def _write_all(self) -> None:
        while True:
            self._awake.wait()
            if not self._stopping:
                self._urgent.wait(_GATHER_S)
            self._urgent.clear()
            # Cleared before the lines are taken: whoever adds one now wakes this thread again.
            self._awake.clear()
            self._busy = True
            self._write_present()
            self._busy = False
            if self._stopping and not self._lines:
                return

    def _write_present(self) -> None:
        while self._lines:
            texts: list[str] = []
            size = 0
            while self._lines and size < _CHUNK_BYTES:
                text = _text_of(self._lines.popleft())
                texts.append(text)
                size += len(text) + 1
            with self._lock:
                unsaid, self._unsaid = self._unsaid, 0
            note = [self._said(unsaid)] if unsaid else []
            if not self._write("".join(f"{text}\n" for text in (*note, *texts))):
                self._drop(len(texts))
                with self._lock:
                    self._unsaid += unsaid

    def _write(self, text: str) -> bool:
        begin = "\n" if self._torn else ""  # the last write ended within a line
        data = memoryview((begin + text).encode("utf-8", "backslashreplace"))
        while data:
            try:
                written = os.write(self._descriptor, data)
                data = data[written:]
                self._torn = len(data) > 0
            except BlockingIOError:  # somebody made the descriptor non-blocking
                if self._stopping:
                    return False
                time.sleep(_GATHER_S)
            except OSError:
                return False
        return True


def _text_of(line: Line) -> str:
    try:
        return line()
    except Exception as error:  # a line that cannot be made must not end the thread that writes all others
        return f"a log line could not be written: {type(error).__name__}"


_current: LogBuffer | None = None
_dropped_before = 0


def install(buffer: LogBuffer | None) -> None:
    """Make this the buffer of the process; the one before is closed."""
    global _current, _dropped_before  # noqa: PLW0603 - a process has one stderr
    before, _current = _current, buffer
    if before is not None:
        before.close()
        _dropped_before += before.dropped
        atexit.unregister(before.close)
    if buffer is not None:
        atexit.register(buffer.close)


def dropped_lines() -> int:
    """How many lines this process has given up so far."""
    return _dropped_before + (_current.dropped if _current is not None else 0)
