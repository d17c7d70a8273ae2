"""The answers of a stream, in order."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from pose_mdn_server.calls.call import Call
from pose_mdn_server.calls.pending import Pending


class Answers:
    """Places in a queue of answers. Whoever fills them may do so from any thread and in any order.

    A transport takes them out in order. A session reserves a place with `reserve` before the answer is known.
    """

    def __init__(self, *, wake: Callable[[], None]) -> None:
        """`wake` is called whenever there may be something to take."""
        self._places: deque[tuple[Pending[Any], Call | None]] = deque()
        self._lock = threading.Lock()
        self._wake = wake
        self._ended = False

    def __len__(self) -> int:
        return len(self._places)

    def reserve(self, message: Call | None = None) -> Pending[Any]:
        """The next place, for the answer to a message. If none is needed after all, `None` resolves it."""
        place: Pending[Any] = Pending()
        with self._lock:
            self._places.append((place, message))
        place.then(lambda _: self._wake())
        return place

    def put(self, answer: Any) -> None:
        """An answer that is known already, in the next place."""
        self.reserve().resolve(answer)

    def fail(self, error: Exception) -> None:
        """End the stream with an error, after the answers before it."""
        self.reserve().fail(error)

    def end(self) -> None:
        """No place will be reserved any more."""
        self._ended = True
        self._wake()

    def take(self) -> tuple[Pending[Any], Call | None] | None:
        """The next answer if it is done, and the message that it answers; otherwise `None`."""
        with self._lock:
            while self._places and self._places[0][0].done:
                answer, message = self._places.popleft()
                if answer.error is not None or answer.value() is not None:
                    return answer, message
        return None

    @property
    def finished(self) -> bool:
        """Whether the end has come and everything before it was taken."""
        return self._ended and not self._places
