"""Frames of a live film come in the order of time, each with all of its people."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError


class FrameOrder:
    """Looks at what is pushed, before anything is done with it.

    Attributes:
        newest: The last frame that came.
    """

    def __init__(self) -> None:
        self.newest: int | None = None
        self._time_s = -np.inf

    def advance(self, frame: NDArray[np.int64], person: NDArray[np.int64], time_s: NDArray[np.float64]) -> None:
        """Go on to the last of (N,) rows.

        Raises:
            InputError: A frame is not after those before, moments do not ascend with frames, or a person is in a frame
                twice.
        """
        if not len(frame):
            return
        earliest = int(frame[0]) if self.newest is None else self.newest + 1
        for number in frame.tolist():
            if number < earliest:
                raise InputError(
                    f"frame: expected frame {earliest} or a later one, got {number}; push all rows of a frame at once, "
                    "in the order of time",
                    field="frame",
                )
            earliest = number
        steps = np.diff(np.concatenate([[self._time_s], time_s]))
        later = np.concatenate([[True], np.diff(frame) > 0])
        if np.shape(time_s) != frame.shape or not np.where(later, steps > 0, steps == 0).all():
            raise InputError(
                f"time_s: expected one moment for each row, later for later frames and equal within a frame, got "
                f"{np.asarray(time_s).tolist()} after {self._time_s:g}",
                field="time_s",
            )
        people = [key for key in zip(frame.tolist(), person.tolist(), strict=True) if key[1] >= 0]
        if len(set(people)) < len(people):
            raise InputError(
                "person: expected each person once in a frame, got one twice; give everybody an identity of their own",
                field="person",
            )
        self.newest, self._time_s = int(frame[-1]), float(time_s[-1])
