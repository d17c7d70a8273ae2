"""Whether bones have lengths that a person's can have."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.body import BONE_CLASSES, STATURE_RANGE_M
from pose_mdn.geometry.kinematics import bone_classes, bone_directions_and_lengths
from pose_mdn.geometry.known_body import class_lengths_m, stature_m
from pose_mdn.skeletons import HUMAN36M17

SHARE_OF_STATURE = {"knee": 0.245, "ankle": 0.246, "elbow": 0.186, "wrist": 0.146}
"""Thigh, shank, upper arm and forearm: Drillis and Contini, "Body Segment Parameters", 1966."""
_FACTOR = 1.6
"""How many times longer or shorter a bone may be; children's and detectors' proportions differ from adults'."""
_ASYMMETRY = 0.25
"""Largest difference of mirrored bones, as part of their mean."""


def has_human_bones(pose_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(...) whether (..., 17, 3) poses have a human stature, limbs in human proportion, and sides alike.

    NaN is not human.
    """
    stature = np.asarray(stature_m(pose_m))[..., None]
    limbs = np.asarray(class_lengths_m(pose_m))[..., [BONE_CLASSES.index(name) for name in SHARE_OF_STATURE]]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = limbs / stature / np.array(list(SHARE_OF_STATURE.values()))
        in_proportion = ((ratio > 1 / _FACTOR) & (ratio < _FACTOR)).all(axis=-1)
        in_range = ((stature > STATURE_RANGE_M[0]) & (stature < STATURE_RANGE_M[1]))[..., 0]
    return np.asarray(in_range & in_proportion & _is_symmetric(pose_m))


def _is_symmetric(pose_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    lengths = np.asarray(bone_directions_and_lengths(pose_m, HUMAN36M17)[1])
    classes = bone_classes(HUMAN36M17)[1]
    pairs = [(i, j) for i, c in enumerate(classes) for j, d in enumerate(classes) if i < j and c == d]
    first, second = (lengths[..., list(side)] for side in zip(*pairs, strict=True))
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(first - second) <= _ASYMMETRY * (first + second) / 2).all(axis=-1))
