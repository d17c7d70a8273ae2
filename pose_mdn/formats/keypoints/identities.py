"""Who is who within a frame, by a tracker's numbers or by place in the list."""

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
"""`person` of the row that stands for a frame without anybody, and the identity of people who have none."""
LARGEST_IDENTITY = 2**53

IntArray = NDArray[np.int64]


def number_people(frames: IntArray, identities: IntArray) -> tuple[IntArray, bool]:
    """Numbers that tell the people of each frame apart.

    A tracker's number is kept; who has none, or one that somebody else has, is numbered by place in the list, or by the
    next number that is free in this frame.

    Args:
        frames: (P,) frame of each person, in the order of the file.
        identities: (P,) the tracker's numbers; negative for none.

    Returns:
        (P,) the numbers, and whether all are a tracker's.
    """
    if not len(frames):
        return np.empty(0, np.int64), True
    places = count_within(frames)
    if (identities < 0).all():
        return places, False
    order = np.lexsort((identities, frames))
    repeated = (np.diff(frames[order]) == 0) & (np.diff(identities[order]) == 0)
    if (identities >= 0).all() and not repeated.any():
        return identities.astype(np.int64), True
    numbers = np.empty(len(frames), np.int64)
    by_frame = np.argsort(frames, kind="stable")
    for rows in np.split(by_frame, np.flatnonzero(np.diff(frames[by_frame])) + 1):
        numbers[rows] = _number_one_frame(identities[rows].tolist())
    return numbers, False


def count_within(frames: IntArray) -> IntArray:
    """For each row how many earlier rows have the same frame number."""
    order = np.argsort(frames, kind="stable")
    positions = np.arange(len(frames))
    starts = np.diff(frames[order], prepend=frames[order][:1] - 1) != 0
    count = np.empty(len(frames), np.int64)
    count[order] = positions - np.maximum.accumulate(np.where(starts, positions, 0))
    return count


def as_identity(value: object) -> int:
    """A tracker's number as files write it (7, 7.0, [7], [[7.0]]); -1 if it is none."""
    for _ in range(4):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LARGEST_IDENTITY:
        return int(value)
    return NOBODY


def _number_one_frame(identities: list[int]) -> list[int]:
    taken: set[int] = set()
    numbers = []
    for identity in identities:
        is_free = identity >= 0 and identity not in taken
        numbers.append(identity if is_free else NOBODY)
        taken.add(identity)
    taken = {number for number in numbers if number >= 0}
    for place, number in enumerate(numbers):
        if number < 0:
            free = place
            while free in taken:
                free += 1
            numbers[place] = free
            taken.add(free)
    return numbers
