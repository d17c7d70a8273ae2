"""Poses of a body whose size is known.

A camera sees directions only: a pose twice as large and twice as far looks the same. A known stature therefore scales a
lifted pose about the camera, with its standard deviations and its distance, and nothing in the picture moves. Known
bone lengths go further: every bone keeps its direction and gets its length, and the joints are summed along the chain.
"""

from collections.abc import Mapping

import numpy as np
from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.geometry.body import BONE_CLASSES, KnownBody
from pose_mdn.geometry.kinematics import (
    bone_classes,
    bone_directions_and_lengths,
    chain_matrix,
    class_mean_matrix,
)
from pose_mdn.skeletons.human36m import HUMAN36M17

STATURE_CHAIN = ("ankle", "knee", "spine", "thorax", "neck_nose", "head_top")
"""Bones from the ankle to the top of the head that stand one upon the other in an upright body."""

_HIP_HALF_WIDTH = 0.055
"""Sideways part of the pelvis-to-hip bone, in lengths of the chain; the rest of that bone is height. Fitted with
`_STATURE_PER_CHAIN`, since skeletons differ in how far above the hips their pelvis lies."""

_STATURE_PER_CHAIN = 1.011
"""Of this, 0.972 is fitted: spines are not straight. It makes ankle to head top as long as in the upright frames of 47
people and characters of CMU's and ACCAD's motions (root mean square error 1.9 %, 29 mm). Below the ankle lie another
3.9 % of the stature (Drillis and Contini, "Body Segment Parameters", 1966), hence 0.972 / 0.961."""

_MIN_LENGTH_M = 1e-6


def class_lengths_m(pose_m: Array) -> Array:
    """(..., C) bone lengths of (..., 17, 3) poses by class, left and right averaged, in the order of `BONE_CLASSES`."""
    _, lengths = bone_directions_and_lengths(pose_m, HUMAN36M17)
    return lengths @ _like(class_mean_matrix(HUMAN36M17), lengths).T


def stature_m(pose_m: Array) -> Array:
    """(...) standing height of (..., 17, 3) bodies in any posture, from their bone lengths alone.

    With the chain h of `STATURE_CHAIN` and the hip bone p it is 1.011 (h + sqrt(p^2 - (0.055 h)^2)); twice the body has
    twice the stature.
    """
    return stature_of_lengths_m(class_lengths_m(pose_m))


def stature_of_lengths_m(lengths: Array) -> Array:
    """(...) the same of (..., C) bone lengths, in the order of `BONE_CLASSES`."""
    xp = array_namespace(lengths)
    chain = xp.sum(lengths[..., [BONE_CLASSES.index(name) for name in STATURE_CHAIN]], axis=-1)
    hip = lengths[..., BONE_CLASSES.index("hip")]
    drop = xp.sqrt(xp.clip(hip * hip - (_HIP_HALF_WIDTH * chain) ** 2, 0.0, None))
    return _STATURE_PER_CHAIN * (chain + drop)


def stature_scale(pose_m: Array, wanted_m: float) -> Array:
    """(...) factors that give (..., 17, 3) poses a stature in metres."""
    xp = array_namespace(pose_m)
    return wanted_m / xp.clip(stature_m(pose_m), _MIN_LENGTH_M, None)


def with_bone_lengths(pose_m: Array, body: KnownBody) -> tuple[Array, Array]:
    """Poses with the known lengths, every bone in its old direction.

    Bones of unknown length are scaled: to the known stature, or, if that is not known either, by the mean ratio of the
    lengths given to those that the pose has.

    Args:
        pose_m: (..., 17, 3) root-relative poses.
        body: With bone lengths.

    Returns:
        (..., 17, 3) poses, and the (..., 17) ratio of each joint's new way from the pelvis along the bones to its old
        one, by which standard deviations grow; 1 for the pelvis.
    """
    xp = array_namespace(pose_m)
    directions, lengths = bone_directions_and_lengths(pose_m, HUMAN36M17)
    wanted = _wanted_lengths(pose_m, lengths, body)
    chain = _like(chain_matrix(HUMAN36M17), pose_m)
    old_way, new_way = lengths @ chain.T, wanted @ chain.T
    growth = xp.where(old_way > _MIN_LENGTH_M, new_way / xp.clip(old_way, _MIN_LENGTH_M, None), xp.ones_like(old_way))
    return chain @ (directions * wanted[..., None]), growth


def _wanted_lengths(pose_m: Array, lengths: Array, body: KnownBody) -> Array:
    """(..., 16) new lengths of the bones of a pose with (..., 16) old ones."""
    xp = array_namespace(lengths)
    known: Mapping[str, float] = body.bone_lengths_m or {}
    old = class_lengths_m(pose_m)
    ratios = [
        length / xp.clip(old[..., BONE_CLASSES.index(name)], _MIN_LENGTH_M, None) for name, length in known.items()
    ]
    others = sum(ratios) / len(ratios) if body.stature_m is None else stature_scale(pose_m, body.stature_m)
    classes = bone_classes(HUMAN36M17)[1]
    columns = [
        xp.full_like(others, known[BONE_CLASSES[index]])
        if BONE_CLASSES[index] in known
        else others * lengths[..., bone]
        for bone, index in enumerate(classes)
    ]
    return xp.stack(columns, axis=-1)


def _like(matrix: np.ndarray, array: Array) -> Array:
    return array_namespace(array).asarray(matrix, dtype=array.dtype)
