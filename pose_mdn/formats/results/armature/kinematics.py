"""From where joints are to how they turn: inverse kinematics without iteration, exact for every pose.

The skeleton's rest pose is a T-pose that looks along z. A joint with one child turns by the smallest rotation that
points its bone the right way in its parent's frame, since the twist about a bone cannot be seen. The pelvis and the
thorax, with three children each, take their frame from the line from right to left and from the bone that goes up.
Bones of people as they were lifted are not quite rigid; what differs is kept as a translation of the child in its
parent's frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.results.armature.rotations import (
    frame_of,
    identity,
    inverse,
    multiply,
    rotate,
    smallest_turn,
    without_sign_flips,
)
from pose_mdn.skeletons import HUMAN36M17

Floats = NDArray[np.float64]

_GIRDLES = {"pelvis": ("l_hip", "r_hip", "spine"), "thorax": ("l_shoulder", "r_shoulder", "neck_nose")}
"""Joints with several children: those that lie to the left, to the right, and upwards."""

_SIDEWAYS = ("hip", "shoulder", "elbow", "wrist")
_DOWN = ("knee", "ankle")

CHILDREN: tuple[tuple[int, ...], ...] = tuple(
    tuple(child for parent, child in HUMAN36M17.bones if parent == joint) for joint in range(HUMAN36M17.num_joints)
)
"""Indices of each joint's children."""


def rest_direction(joint: str) -> Floats:
    """(3,) unit vector along the bone that ends in a joint, in the T-pose: x to the person's left, y up."""
    bone = joint.removeprefix("l_").removeprefix("r_")
    if bone in _SIDEWAYS:
        return np.array([1.0 if joint.startswith("l_") else -1.0, 0.0, 0.0])
    return np.array([0.0, -1.0 if bone in _DOWN else 1.0, 0.0])


@dataclass(frozen=True, kw_only=True)
class JointMotion:
    """How the joints of Human3.6M-17 turn and move over T frames.

    Attributes:
        rotations: (T, 17, 4) unit quaternions (w, x, y, z), each joint's frame in its parent's, without flips of sign.
        translations_m: (T, 17, 3) each joint in its parent's frame; the pelvis in the world.
    """

    rotations: Floats
    translations_m: Floats

    @property
    def offsets_m(self) -> Floats:
        """(17, 3) the rest pose: where joints usually are in their parents' frames, 0 for the pelvis.

        Medians, so that a few bad frames do not matter. Bones of joints with one child lie along `rest_direction`.
        """
        return rest_offsets_m(self.translations_m)


def rest_offsets_m(translations_m: Floats) -> Floats:
    """(17, 3) medians over the frames of (T, 17, 3) translations, 0 for the pelvis."""
    offsets = np.median(translations_m, axis=0)
    offsets[HUMAN36M17.index("pelvis")] = 0.0
    return np.asarray(offsets)


def joint_motion(positions_m: Floats) -> JointMotion:
    """The rotations and translations that put joints where they are.

    Args:
        positions_m: (T, 17, 3) joints, metres, y up, all finite.
    """
    count = len(positions_m)
    local, translations = np.empty((count, 17, 4)), np.empty((count, 17, 3))
    world: list[Floats] = []
    for joint, parent in enumerate(HUMAN36M17.parent_indices):
        if parent < 0:
            above = identity(count)
            translations[:, joint] = positions_m[:, joint]
        else:
            above = world[parent]
            translations[:, joint] = rotate(inverse(above), positions_m[:, joint] - positions_m[:, parent])
        turn = _local_rotation(joint, positions_m, above)
        local[:, joint] = without_sign_flips(turn)
        world.append(multiply(above, turn))
    return JointMotion(rotations=local, translations_m=translations)


def _local_rotation(joint: int, positions_m: Floats, above: Floats) -> Floats:
    """(T, 4) a joint's frame in its parent's, whose frame in the world is `above`."""
    index = HUMAN36M17.index
    name, back = HUMAN36M17.joint_names[joint], inverse(above)
    if name in _GIRDLES:
        left, right, up = (positions_m[:, index(end)] for end in _GIRDLES[name])
        return frame_of(rotate(back, left - right), rotate(back, up - positions_m[:, joint]))
    if not CHILDREN[joint]:
        return identity(len(positions_m))
    (child,) = CHILDREN[joint]
    bone = positions_m[:, child] - positions_m[:, joint]
    return smallest_turn(rest_direction(HUMAN36M17.joint_names[child]), rotate(back, bone))
