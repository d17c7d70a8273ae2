"""Another number of frames per second."""

import numpy as np
from numpy.typing import NDArray

_SAME = 0.005
"""Rates that differ by less, such as 29.97 and 30, count as one; so does a ratio this near to a whole number."""


def resample(
    positions: NDArray[np.float64], valid: NDArray[np.bool_], fps: float, target_fps: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_], float]:
    """Change the frame rate of a motion.

    If the rates' ratio is whole, frames are chosen; otherwise positions are interpolated linearly between neighbours,
    and a frame is valid if both of its neighbours are.

    Args:
        positions: (T, J, 3).
        valid: (T,).
        fps: What the motion has.
        target_fps: What is wanted.

    Returns:
        Positions (T', J, 3), valid (T',), and the frame rate reached, which is `target_fps` or nearly so.
    """
    ratio = fps / target_fps
    step = round(ratio)
    if step >= 1 and abs(ratio / step - 1.0) < _SAME:
        return positions[::step], valid[::step], fps / step
    count = int(np.floor((len(positions) - 1) / ratio + 1e-9)) + 1
    place = np.minimum(np.arange(count) * ratio, len(positions) - 1)
    before = np.floor(place).astype(np.int64)
    after = np.minimum(before + 1, len(positions) - 1)
    part = (place - before)[:, None, None]
    after = np.where(part[:, 0, 0] > 0, after, before)
    between = positions[before] + part * (positions[after] - positions[before])
    return between, valid[before] & valid[after], target_fps
