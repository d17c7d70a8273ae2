"""Numbers for people of whom a file only says in which frame they are."""

import numpy as np
from numpy.typing import NDArray


class PeopleCount:
    """Numbers the rows of one frame that stand together, for rows that arrive piece by piece.

    Args:
        before: The frame numbers directly before the first piece that are all the same.
    """

    def __init__(self, before: NDArray[np.int64]) -> None:
        self._last = before[-1:]
        self._count = len(before)

    def number(self, frame: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each of the next rows how many rows of the same frame stand directly before it."""
        if not len(frame):
            return np.zeros(0, np.int64)
        places = np.arange(len(frame))
        starts = np.maximum.accumulate(np.where(np.diff(frame, prepend=frame[:1]) != 0, places, 0))
        goes_on = len(self._last) > 0 and self._last[0] == frame[0]
        number = places - starts + np.where(starts == 0, self._count if goes_on else 0, 0)
        self._last, self._count = frame[-1:], int(number[-1]) + 1
        return number.astype(np.int64)
