"""Exact order statistics of more numbers than fit into memory, by counting them twice."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.keypoints import FloatArray

_HALF = 1 << 16


def order_statistics(
    passes: Callable[[], Iterator[FloatArray]], ranks: Callable[[int], Sequence[int]]
) -> FloatArray | None:
    """Numbers at given places of columns in growing order.

    A number's bits, read as a whole number, grow as it does (with the sign seen to). The first pass counts their upper
    halves, which tells in which of these the places wanted lie; the second counts the lower halves there.

    Args:
        passes: Gives all numbers in pieces (K, C) without NaN; called twice, for the same numbers.
        ranks: The places wanted, counted from 0, given how many numbers a column has.

    Returns:
        (R, C), or `None` if there are no numbers.
    """
    upper = np.zeros((0, _HALF), np.int64)
    for piece in passes():
        keys = _keys(piece)
        if not len(upper):
            upper = np.zeros((keys.shape[1], _HALF), np.int64)
        upper += [np.bincount(column >> 16, minlength=_HALF) for column in keys.T]
    total = int(upper[0].sum()) if len(upper) else 0
    if not total:
        return None
    wanted = np.asarray(ranks(total), np.int64)
    ends = np.cumsum(upper, axis=1)
    halves = np.stack([np.searchsorted(column, wanted, side="right") for column in ends], axis=1)
    lower = _count_lower(passes(), halves)
    found = np.empty(halves.shape, np.uint32)
    for place, column in np.ndindex(halves.shape):
        half = halves[place, column]
        within = wanted[place] - (ends[column, half] - upper[column, half])
        counts = lower[column][int(half)]
        found[place, column] = half << 16 | np.searchsorted(np.cumsum(counts), within, side="right")
    return _numbers(found)


def _count_lower(pieces: Iterator[FloatArray], halves: NDArray[np.int64]) -> list[dict[int, NDArray[np.int64]]]:
    """For each column, upper half -> (65536,) counts of the lower halves of numbers that begin so."""
    lower = [{int(half): np.zeros(_HALF, np.int64) for half in column} for column in halves.T]
    for piece in pieces:
        for keys, counts in zip(_keys(piece).T, lower, strict=True):
            for half in counts:
                counts[half] += np.bincount(keys[keys >> 16 == half] & _HALF - 1, minlength=_HALF)
    return lower


def _keys(numbers: FloatArray) -> NDArray[np.uint32]:
    """Whole numbers of the same shape and in the same order; columns lie together in memory."""
    bits = np.asfortranarray(numbers, np.float32).view(np.uint32)
    negative = bits >> 31 != 0
    return np.where(negative, ~bits, bits | np.uint32(1 << 31))


def _numbers(keys: NDArray[np.uint32]) -> FloatArray:
    """The inverse of `_keys`."""
    positive = keys >> 31 != 0
    return np.where(positive, keys & np.uint32(0x7FFF_FFFF), ~keys).astype(np.uint32).view(np.float32)
