"""Whether what was read can be a person: frame by frame, and as a whole."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.skeletons import HUMAN36M17

PLAUSIBLE_STATURE_M = (1.3, 2.2)
"""Outside of it a warning is given: children are shorter, but so are mistaken units and rigs of toys."""

_LONGEST_BONE_M = 0.75
"""No human bone is longer: the longest femurs have 0.6 m."""
_LIMB_CHANGE = 0.35
"""How much the length of a limb's bone may differ from its median: skin under markers moves, elbows do not grow."""
_TRUNK_CHANGE = 0.7
"""Spine and shoulder girdle bend and slide within what is one link here."""
_LIMBS = ("knee", "ankle", "elbow", "wrist")
_CLEARLY_BENT_M = 0.04
_MIN_BENT_FRAMES = 10


def valid_frames(pose_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(T,) which frames of (T, 17, 3) poses are complete and have bones of possible length."""
    finite = np.asarray(np.isfinite(pose_m).all(axis=(1, 2)))
    if not finite.any():
        return finite
    _, lengths = bone_directions_and_lengths(np.nan_to_num(pose_m), HUMAN36M17)
    median = np.median(lengths[finite], axis=0)
    children = [HUMAN36M17.joint_names[child] for _, child in HUMAN36M17.bones]
    change = np.array([_LIMB_CHANGE if child.endswith(_LIMBS) else _TRUNK_CHANGE for child in children])
    possible = (np.abs(lengths - median) <= change * median) & (lengths < _LONGEST_BONE_M)
    return np.asarray(finite & possible.all(axis=1))


def body_warnings(pose_m: NDArray[np.float64], stature_m: float) -> list[str]:
    """What is suspicious about valid (T, 17, 3) poses in metres, Y up; a sentence each, with what may be wrong."""
    warnings = []
    low, high = PLAUSIBLE_STATURE_M
    if not low <= stature_m <= high:
        warnings.append(f"stature of {stature_m:.2f} m; is the unit right (--unit)?")
    if not len(pose_m):
        return [*warnings, "no valid frame"]
    joint = HUMAN36M17.index
    ankles = pose_m[:, [joint("l_ankle"), joint("r_ankle")]].mean(axis=1)
    if np.median(pose_m[:, joint("head_top"), 1] - ankles[:, 1]) < 0:
        warnings.append("feet above the head; is the up axis right (--up)?")
    if _knees_bend_backwards(pose_m):
        warnings.append("knees bend backwards; are left and right exchanged, or is the recording mirrored?")
    return warnings


def _knees_bend_backwards(pose_m: NDArray[np.float64]) -> bool:
    """Whether knees, where they are clearly bent, mostly point away from where the hips say that the front is."""
    at = {name: pose_m[:, index] for index, name in enumerate(HUMAN36M17.joint_names)}
    forward = np.cross(at["l_hip"] - at["r_hip"], at["thorax"] - at["pelvis"])
    forward /= np.maximum(np.linalg.norm(forward, axis=-1, keepdims=True), 1e-9)
    ahead = []
    for side in "lr":
        hip, knee, ankle = (at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        leg = ankle - hip
        along = ((knee - hip) * leg).sum(axis=-1) / np.maximum((leg * leg).sum(axis=-1), 1e-9)
        ahead.append(((knee - hip - along[:, None] * leg) * forward).sum(axis=-1))
    bend = np.concatenate(ahead)
    clear = bend[np.abs(bend) > _CLEARLY_BENT_M]
    return len(clear) >= _MIN_BENT_FRAMES and bool((clear < 0).mean() > 0.7)
