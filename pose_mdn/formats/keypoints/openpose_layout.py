"""BODY_25 or BODY_25B? Both have 25 joints, so only the bodies themselves can tell."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import BODY25, BODY25B, Skeleton

_NEAR_THE_MIDDLE = (
    ("thorax", "l_shoulder", "r_shoulder"),
    ("pelvis", "l_hip", "r_hip"),
    ("neck", "l_shoulder", "r_shoulder"),
    ("mid_hip", "l_hip", "r_hip"),
    ("nose", "l_eye", "r_eye"),
    ("nose", "l_ear", "r_ear"),
)
"""In every view, the first joint projects near the middle of the other two, compared with the size of the body."""


_JOINTS_PER_UNIT = 2.0
_STEEPEST = 40.0
"""How fast confidence grows with the relative difference of two layouts' implausibility, the faster the more joints
were seen: fitted to people drawn with up to 80 % of their joints missing."""


def tell_body25_from_body25b(joints: NDArray[np.float32]) -> tuple[Skeleton, float]:
    """The layout under which the people look more like people; BODY_25, OpenPose's default, if nothing can be told.

    Read in the wrong order, bones become long (from an eye to an elbow) and middles lie elsewhere.

    Args:
        joints: (P, 25, 3) x px, y px, confidence; NaN coordinates where missing.

    Returns:
        The layout and how sure it is, from 0.5 to 1.
    """
    confidence = confidence_of_first(joints, (BODY25, BODY25B))
    return (BODY25B, 1 - confidence) if confidence < 0.5 else (BODY25, confidence)


def confidence_of_first(joints: NDArray[np.float32], candidates: tuple[Skeleton, Skeleton]) -> float:
    """How sure the first of two layouts is: 0.5 if people look equally like people under both.

    Args:
        joints: (P, J, 3) x px, y px, confidence; NaN coordinates where missing.
        candidates: Two layouts of J joints.
    """
    if not len(joints):
        return 0.5
    first, second = implausibility(joints, candidates)
    if not (np.isfinite(first) and np.isfinite(second)) or first + second == 0:
        return 0.5
    steepness = min(np.isfinite(joints[..., 0]).sum() / _JOINTS_PER_UNIT, _STEEPEST)
    return float(1 / (1 + np.exp(-steepness * (second - first) / (first + second))))


def implausibility(joints: NDArray[np.float32], candidates: tuple[Skeleton, ...]) -> tuple[float, ...]:
    """How little people look like people under each layout, in body sizes; infinite if nothing can be told.

    Args:
        joints: (P, J, 3) x px, y px, confidence; NaN coordinates where missing.
        candidates: Layouts of J joints.
    """
    points = joints[..., :2].astype(np.float64)
    size = _body_size(points)
    values = np.array([_mean_bone_length(points, size, skeleton) for skeleton in candidates])
    off_middle = np.array([_distance_from_middle(points, size, skeleton) for skeleton in candidates])
    if np.isfinite(off_middle).all():
        values += off_middle
    return tuple(float(value) for value in values)


def _body_size(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P,) RMS distance of the joints seen from their centre; NaN for people of whom nothing was seen."""
    seen = np.isfinite(points[..., :1])  # both coordinates are missing, or none
    count = np.where(seen.any(axis=1), seen.sum(axis=1), np.nan)
    centre = np.where(seen, points, 0).sum(axis=1) / count
    squares = np.where(seen, points - centre[:, None], 0) ** 2
    size: NDArray[np.float64] = np.sqrt(squares.sum(axis=(1, 2)) / count[:, 0])
    return np.where(size > 0, size, np.nan)


def _mean_bone_length(points: NDArray[np.float64], size: NDArray[np.float64], skeleton: Skeleton) -> float:
    """Mean length of the bones of which both ends were seen, in body sizes; infinite if there are none."""
    parents, children = np.array(skeleton.bones).T
    lengths = _length(points[:, children] - points[:, parents]) / size[:, None]
    measured = lengths[np.isfinite(lengths)]
    return float(measured.mean()) if measured.size else float("inf")


def _distance_from_middle(points: NDArray[np.float64], size: NDArray[np.float64], skeleton: Skeleton) -> float:
    """Median distance of midline joints from where they should be, in body sizes; infinite if none was seen."""
    distances = []
    for names in _NEAR_THE_MIDDLE:
        if set(names) <= set(skeleton.joint_names):
            middle, left, right = (skeleton.index(name) for name in names)
            offset = points[:, middle] - (points[:, left] + points[:, right]) / 2
            distances.append(_length(offset) / size)
    measured = np.concatenate(distances)
    measured = measured[np.isfinite(measured)]
    return float(np.median(measured)) if measured.size else float("inf")


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths of (..., 2) vectors."""
    return np.hypot(vectors[..., 0], vectors[..., 1])
