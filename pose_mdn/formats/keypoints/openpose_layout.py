"""BODY_25 or BODY_25B? Both have 25 joints, so only the bodies themselves can tell."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import BODY25, BODY25B, Skeleton

_NEAR_THE_MIDDLE = (
    ("neck", "l_shoulder", "r_shoulder"),
    ("mid_hip", "l_hip", "r_hip"),
    ("nose", "l_eye", "r_eye"),
    ("nose", "l_ear", "r_ear"),
)
"""In every view, the first joint projects near the middle of the other two, compared with the size of the body."""


def tell_body25_from_body25b(joints: NDArray[np.float32]) -> Skeleton:
    """The layout under which the people look more like people; BODY_25, OpenPose's default, if nothing can be told.

    Args:
        joints: (P, 25, 3) x px, y px, confidence; NaN coordinates where missing.
    """
    return BODY25B if _implausibility(joints, BODY25B) < _implausibility(joints, BODY25) else BODY25


def _implausibility(joints: NDArray[np.float32], skeleton: Skeleton) -> float:
    """Median distance of joints from where they should be, in units of the body's size; infinite if none was seen."""
    points = joints[..., :2].astype(np.float64)
    seen = np.isfinite(points[..., 0]) & np.isfinite(points[..., 1])
    count = np.maximum(seen.sum(axis=1), 1)[:, None]
    centre = np.where(seen[..., None], points, 0).sum(axis=1) / count
    size = np.sqrt((np.where(seen[..., None], points - centre[:, None], 0) ** 2).sum(axis=(1, 2)) / count[:, 0])
    distances = []
    for names in _NEAR_THE_MIDDLE:
        if set(names) <= set(skeleton.joint_names):
            middle, left, right = (skeleton.index(name) for name in names)
            usable = seen[:, [middle, left, right]].all(axis=1) & (size > 0)
            offset = points[usable, middle] - (points[usable, left] + points[usable, right]) / 2
            distances.append(np.linalg.norm(offset, axis=-1) / size[usable])
    measured = np.concatenate(distances)
    return float(np.median(measured)) if measured.size else float("inf")
