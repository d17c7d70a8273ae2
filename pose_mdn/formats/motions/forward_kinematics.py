"""From the rotations of a skeleton's joints to where the joints are, all frames at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def axis_rotation(axis: str, angle_rad: Floats) -> Floats:
    """Rotation matrices (..., 3, 3) about a coordinate axis "x", "y" or "z" by angles (...)."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.zeros((*angle_rad.shape, 3, 3))
    matrix[..., range(3), range(3)] = 1.0
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    matrix[..., first, first] = matrix[..., second, second] = cos
    matrix[..., first, second], matrix[..., second, first] = -sin, sin
    return matrix


def intrinsic_rotation(axes: str, angles_rad: Floats) -> Floats:
    """Turns about the axes of the turning body, one after the other: the first matrix stands leftmost.

    Args:
        axes: Letters of "x", "y", "z" in the order of the turns; may be empty.
        angles_rad: (..., A) one angle per letter.

    Returns:
        (..., 3, 3).
    """
    total = np.broadcast_to(np.eye(3), (*angles_rad.shape[:-1], 3, 3))
    for index, axis in enumerate(axes):
        total = total @ axis_rotation(axis, angles_rad[..., index])
    return total


def fixed_axis_rotation(axes: str, angles_rad: Floats) -> Floats:
    """Turns about axes that stay where they are, one after the other: the first matrix stands rightmost."""
    return intrinsic_rotation(axes[::-1], angles_rad[..., ::-1])


def joint_positions(parents: Sequence[int], rotations: Sequence[Floats], translations: Sequence[Floats]) -> Floats:
    """Forward kinematics.

    Args:
        parents: Index of each joint's parent, -1 for roots; parents come before their children.
        rotations: For each joint (T, 3, 3) or (3, 3), its frame in its parent's.
        translations: For each joint (T, 3) or (3,), its origin in its parent's frame.

    Returns:
        (T, J, 3) origins in the world.
    """
    frames: list[Floats] = []
    origins: list[Floats] = []
    for parent, rotation, translation in zip(parents, rotations, translations, strict=True):
        if parent < 0:
            frames.append(rotation)
            origins.append(translation)
        else:
            frames.append(frames[parent] @ rotation)
            origins.append(origins[parent] + (frames[parent] @ translation[..., None])[..., 0])
    return np.stack(np.broadcast_arrays(*origins), axis=-2).astype(np.float64)
