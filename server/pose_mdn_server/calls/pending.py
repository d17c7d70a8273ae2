"""A value that comes later.

`concurrent.futures.Future` says the same and costs ten times as much, which shows at thousands of calls a second: it
makes a condition for waiting, and hardly anybody waits here.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Pending(Generic[Value]):
    """A value, or the error in its place, that some thread will set once. Methods may be called from any thread."""

    __slots__ = ("_callback", "_done", "_error", "_lock", "_value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = False
        self._value: Value | None = None
        self._error: Exception | None = None
        self._callback: Callable[[Pending[Value]], None] | None = None

    @property
    def done(self) -> bool:
        """Whether the value or the error is there."""
        return self._done

    @property
    def error(self) -> Exception | None:
        """What is there in place of a value, once it is done."""
        return self._error

    def resolve(self, value: Value) -> None:
        """Set the value; ignored if this is done already."""
        self._finish(value, None)

    def fail(self, error: Exception) -> None:
        """Set an error instead; ignored if this is done already."""
        self._finish(None, error)

    def then(self, callback: "Callable[[Pending[Value]], None]") -> None:
        """Have one function called with this as soon as it is done: now, or by the thread that finishes it."""
        with self._lock:
            if not self._done:
                self._callback = callback
                return
        callback(self)

    def value(self) -> Value:
        """The value.

        Raises:
            Exception: The error that was set instead.
        """
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def wait(self, timeout_s: float | None = None) -> Value:
        """Block until the value is there, and give it.

        Raises:
            TimeoutError: It did not come in time.
            Exception: The error that was set instead.
        """
        done = threading.Event()
        self.then(lambda _: done.set())
        if not done.wait(timeout_s):
            raise TimeoutError
        return self.value()

    def _finish(self, value: Value | None, error: Exception | None) -> None:
        with self._lock:
            if self._done:
                return
            self._done, self._value, self._error = True, value, error
            # Let go of it, lest the two hold each other until somebody collects the garbage.
            callback, self._callback = self._callback, None
        if callback is not None:
            callback(self)
