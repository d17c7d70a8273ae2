"""Looking at a server's metrics again and again."""

import time
from collections import deque
from collections.abc import Callable

from pose_mdn_server.telemetry.activity import Activity, activity
from pose_mdn_server.telemetry.page import Page, fetch

_WINDOW_LOOKS = 5
"""Rates and quantiles are taken over so many intervals: fewer make them jump, more make them late."""


class Watch:
    """What one server does, look after look."""

    def __init__(self, address: str, *, interval_s: float) -> None:
        self.address = address
        self.interval_s = interval_s
        self._looks: deque[tuple[float, Page]] = deque(maxlen=_WINDOW_LOOKS + 1)

    @property
    def version(self) -> str:
        """Of the server."""
        return self._looks[-1][1].version

    @property
    def title(self) -> str:
        """Which server it is."""
        return f"pose-mdn {self.version} at {self.address}"

    @property
    def silent_s(self) -> float:
        """How long ago it answered."""
        return time.monotonic() - self._looks[-1][0]

    def begin(self) -> None:
        """Look for the first time.

        Raises:
            ServerUnavailableError: Nobody answers.
        """
        self._look()

    def next(self, wait: Callable[[float], None] = time.sleep) -> Activity:
        """Wait for one interval, look, and give what happened since the oldest look that still counts.

        Raises:
            ServerUnavailableError: Nobody answers any more; the next call tries again.
        """
        wait(self.interval_s)
        self._look()
        (then, before), (now, after) = self._looks[0], self._looks[-1]
        return activity(before.snapshot, after.snapshot, window_s=max(now - then, 1e-3), time_s=time.time())

    def _look(self) -> None:
        page = fetch(self.address)
        self._looks.append((time.monotonic(), page))
