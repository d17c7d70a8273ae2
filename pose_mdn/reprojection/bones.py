"""Whether bones have lengths that a person's can have."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.body import BONE_CLASSES, STATURE_RANGE_M
from pose_mdn.geometry.kinematics import bone_classes, class_mean_matrix
from pose_mdn.geometry.known_body import stature_of_lengths_m
from pose_mdn.skeletons import HUMAN36M17


def _mirrored_bones() -> list[tuple[int, int]]:
    """Pairs of bones of one class."""
    classes = bone_classes(HUMAN36M17)[1]
    return [(i, j) for i, c in enumerate(classes) for j, d in enumerate(classes) if i < j and c == d]


def _difference_matrix() -> NDArray[np.float32]:
    """(16, 17) from joints to bones: a product is much faster than to look joints up."""
    matrix = np.zeros((len(HUMAN36M17.bones), HUMAN36M17.num_joints), np.float32)
    for bone, (parent, child) in enumerate(HUMAN36M17.bones):
        matrix[bone, [parent, child]] = -1.0, 1.0
    return matrix


SHARE_OF_STATURE = {"knee": 0.245, "ankle": 0.246, "elbow": 0.186, "wrist": 0.146}
"""Thigh, shank, upper arm and forearm: Drillis and Contini, "Body Segment Parameters", 1966."""
_FACTOR = 1.6
"""How many times longer or shorter a bone may be; children's and detectors' proportions differ from adults'."""
_ASYMMETRY = 0.25
"""Largest difference of mirrored bones, as part of their mean."""

_CLASS_MEANS = class_mean_matrix(HUMAN36M17)
_LIMBS = [BONE_CLASSES.index(name) for name in SHARE_OF_STATURE]
_FIRST, _SECOND = (list(side) for side in zip(*_mirrored_bones(), strict=True))
_CHILD_MINUS_PARENT = _difference_matrix()


def has_human_bones(pose_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(...) whether (..., 17, 3) poses have a human stature, limbs in human proportion, and sides alike.

    NaN is not human.
    """
    lengths = _bone_lengths_m(pose_m)
    by_class = lengths @ _CLASS_MEANS.T
    stature = np.asarray(stature_of_lengths_m(by_class))[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = by_class[..., _LIMBS] / stature / np.array(list(SHARE_OF_STATURE.values()), lengths.dtype)
        in_proportion = ((ratio > 1 / _FACTOR) & (ratio < _FACTOR)).all(axis=-1)
        in_range = ((stature > STATURE_RANGE_M[0]) & (stature < STATURE_RANGE_M[1]))[..., 0]
        first, second = lengths[..., _FIRST], lengths[..., _SECOND]
        is_symmetric = (np.abs(first - second) <= _ASYMMETRY * (first + second) / 2).all(axis=-1)
    return np.asarray(in_range & in_proportion & is_symmetric)


def _bone_lengths_m(pose_m: NDArray[np.floating]) -> NDArray[np.floating]:
    """(..., 16) lengths in the order of the skeleton's bones."""
    x, y, z = (pose_m[..., axis] @ _CHILD_MINUS_PARENT.T for axis in range(3))
    return np.asarray(np.sqrt(x * x + y * y + z * z))
