"""Which unit and which axes a recording is in, found out from the body in it."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import HUMAN36M17

UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048, "dm": 0.1, "cmu": 0.0254 / 0.45}
"""Metres in each unit; "cmu" is that of CMU's Acclaim files and of BVH made from them, an inch divided by 0.45."""

LIKELY_STATURE_M = (1.1, 2.35)
"""Of grown people and bigger children. Narrow enough for no two units to fit the same body."""

_HEIGHT_OF_CHAIN = 1.06
"""Stature over the sum of bones from ankle to head top: the foot's height is not in it."""

_TURN_TO_Y_UP = {
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}
UP_AXES = tuple(_TURN_TO_Y_UP)
"""Axes that may point up."""

_UPRIGHT_COSINE = 0.75
_UPRIGHT_SHARE = 0.7


def turn_to_y_up(positions: NDArray[np.float64], up: str) -> NDArray[np.float64]:
    """Turn (..., 3) positions, without mirroring them, so that the axis `up` becomes y."""
    return positions @ np.array(_TURN_TO_Y_UP[up], np.float64).T


def stature(pose: NDArray[np.float64]) -> float:
    """Height of the body, standing, in the unit of (T, 17, 3) poses: by its bones, so that it need not stand.

    NaN if no frame is complete.
    """
    at = {name: pose[:, index] for index, name in enumerate(HUMAN36M17.joint_names)}

    def length(first: str, second: str) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(at[first] - at[second], axis=-1))

    trunk = [length(*pair) for pair in pairwise(("pelvis", "spine", "thorax", "neck_nose", "head_top"))]
    legs = [length(f"{side}_{a}", f"{side}_{b}") for side in "lr" for a, b in pairwise(("hip", "knee", "ankle"))]
    total = (np.sum(trunk, axis=0) + np.sum(legs, axis=0) / 2) * _HEIGHT_OF_CHAIN
    complete = total[np.isfinite(total)]
    return float(np.median(complete)) if len(complete) else float("nan")


def fitting_unit(stature_units: float) -> str | None:
    """The unit in which a body of this stature is a likely one, if there is such a unit."""
    low, high = LIKELY_STATURE_M
    fitting = [name for name, metres in UNITS_M.items() if low <= stature_units * metres <= high]
    return fitting[0] if fitting else None


def upright_axis(pose: NDArray[np.float64]) -> str | None:
    """The axis along which the body stands in most frames of (T, 17, 3), from ankles to head; `None` if in none."""
    names = HUMAN36M17.index
    feet = (pose[:, names("l_ankle")] + pose[:, names("r_ankle")]) / 2
    body = pose[:, names("head_top")] - feet
    with np.errstate(invalid="ignore", divide="ignore"):
        direction = body / np.linalg.norm(body, axis=-1, keepdims=True)
    direction = direction[np.isfinite(direction).all(axis=-1)]
    for axis in UP_AXES:
        along = direction[:, "xyz".index(axis[-1])] * (-1 if axis.startswith("-") else 1)
        if len(along) and (along > _UPRIGHT_COSINE).mean() >= _UPRIGHT_SHARE:
            return axis
    return None
