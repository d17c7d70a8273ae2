"""Something to see of a skeleton: a slim octahedron for each bone and a small one for each joint."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.results.armature.kinematics import rest_direction
from pose_mdn.skeletons import HUMAN36M17

Floats = NDArray[np.float32]

_JOINT_RADIUS_M = 0.025
_WAIST_PER_LENGTH = 0.08
_WAIST_PLACE = 0.2
"""Bones are thickest near the joint that turns them, so that one sees which way they go."""

_COLOURS = {"left": (60, 120, 216, 255), "right": (224, 102, 42, 255), "middle": (150, 150, 150, 255)}
_FACES = np.array([[0, 3, 2], [0, 4, 3], [0, 5, 4], [0, 2, 5], [1, 2, 3], [1, 3, 4], [1, 4, 5], [1, 5, 2]])
"""Triangles, seen from outside counterclockwise, of points that lie behind, in front and around."""


@dataclass(frozen=True, kw_only=True)
class BoneMesh:
    """Triangles, three vertices each, of a skeleton in its rest pose.

    Attributes:
        positions_m: (V, 3).
        normals: (V, 3) unit vectors, one direction for each triangle.
        colours: (V, 4) red, green, blue and opacity, 0 to 255: left, right and middle differ.
        joints: (V,) the one joint that each vertex moves with.
    """

    positions_m: Floats
    normals: Floats
    colours: NDArray[np.uint8]
    joints: NDArray[np.uint8]


def bone_mesh(offsets_m: NDArray[np.float64]) -> BoneMesh:
    """The mesh of a skeleton.

    The far end of a bone moves with the far joint, so that bones reach from joint to joint even where their length
    changes.

    Args:
        offsets_m: (17, 3) rest pose: joints in their parents' frames.
    """
    rest = np.zeros((17, 3))
    points, owners, painted = [], [], []
    for joint, parent in enumerate(HUMAN36M17.parent_indices):
        up = np.array([0.0, _JOINT_RADIUS_M, 0.0])
        rest[joint] = offsets_m[joint] + (rest[parent] if parent >= 0 else 0.0)
        points.append(_octahedron(rest[joint] - up, rest[joint] + up, rest[joint], _JOINT_RADIUS_M, up))
        owners.append([joint] * 6)
        painted.append(joint)
        if parent >= 0:
            bone = offsets_m[joint]
            waist = rest[parent] + _WAIST_PLACE * bone
            radius = max(_WAIST_PER_LENGTH * float(np.linalg.norm(bone)), 1e-3)
            points.append(_octahedron(rest[parent], rest[joint], waist, radius, bone))
            owners.append([parent, joint, parent, parent, parent, parent])
            painted.append(joint)
    corners = np.array(points)[:, _FACES]
    side = {**dict.fromkeys(HUMAN36M17.left, "left"), **dict.fromkeys(HUMAN36M17.right, "right")}
    colours = np.array([_COLOURS[side.get(joint, "middle")] for joint in painted], np.uint8)
    return BoneMesh(
        positions_m=corners.reshape(-1, 3).astype(np.float32),
        normals=_normals(corners).astype(np.float32),
        colours=np.repeat(colours, _FACES.size, axis=0),
        joints=np.array(owners, np.uint8)[:, _FACES].reshape(-1),
    )


def _octahedron(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    middle: NDArray[np.float64],
    radius: float,
    axis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(6, 3) the two ends, and four points around the middle, counterclockwise seen from the end."""
    size = float(np.linalg.norm(axis))
    along = axis / size if size > 0 else rest_direction("spine")
    other = np.eye(3)[int(np.abs(along).argmin())]
    first = np.cross(along, other)
    first /= np.linalg.norm(first)
    second = np.cross(along, first)
    around = [middle + radius * vector for vector in (first, second, -first, -second)]
    return np.array([start, end, *around])


def _normals(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V, 3) of triangles (..., 3, 3); any direction for those without an area."""
    across = np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])
    size = np.linalg.norm(across, axis=-1, keepdims=True)
    normal = np.where(size > 1e-12, across / np.maximum(size, 1e-12), rest_direction("spine"))
    return np.repeat(normal.reshape(-1, 3), 3, axis=0)
