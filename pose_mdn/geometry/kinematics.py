"""Bones: from joints to directions and lengths, and back along the chain."""

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from pose_mdn.array_types import Array
from pose_mdn.skeletons.skeleton import Skeleton

_MIN_LENGTH_M = 1e-6


def chain_matrix(skeleton: Skeleton) -> NDArray[np.float32]:
    """Matrix that sums bone vectors along the chain from the root.

    Args:
        skeleton: A skeleton with one root.

    Returns:
        (J, J - 1) matrix C of zeros and ones with joints = C @ bones, bones in the order of `skeleton.bones`.
    """
    matrix = np.zeros((skeleton.num_joints, len(skeleton.bones)), dtype=np.float32)
    for bone, (parent, child) in enumerate(skeleton.bones):
        matrix[child] = matrix[parent]
        matrix[child, bone] = 1.0
    return matrix


def bone_vectors(pose_m: Array, skeleton: Skeleton) -> Array:
    """(..., J - 1, 3) vectors from parent to child, in the order of `skeleton.bones`, of (..., J, 3) joints."""
    parents = [parent for parent, _ in skeleton.bones]
    children = [child for _, child in skeleton.bones]
    return pose_m[..., children, :] - pose_m[..., parents, :]


def bone_directions_and_lengths(pose_m: Array, skeleton: Skeleton) -> tuple[Array, Array]:
    """Split bone vectors.

    Args:
        pose_m: (..., J, 3) joints.
        skeleton: Their skeleton.

    Returns:
        (..., J - 1, 3) unit directions and (..., J - 1) lengths in metres, both in the order of `skeleton.bones`.
    """
    xp = array_namespace(pose_m)
    vectors = bone_vectors(pose_m, skeleton)
    lengths = xp.sqrt(xp.sum(vectors * vectors, axis=-1))
    return vectors / xp.clip(lengths, _MIN_LENGTH_M, None)[..., None], lengths


def bone_classes(skeleton: Skeleton) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Bones that share one length because they mirror each other.

    Returns:
        The classes' names (the child joint's name without its side) and, for each bone, the index of its class.
    """
    names: list[str] = []
    index = []
    for _, child in skeleton.bones:
        name = skeleton.joint_names[child].removeprefix("l_").removeprefix("r_")
        if name not in names:
            names.append(name)
        index.append(names.index(name))
    return tuple(names), tuple(index)


def class_mean_matrix(skeleton: Skeleton) -> NDArray[np.float32]:
    """(C, J - 1) matrix that averages a number per bone over the C classes of `bone_classes`."""
    names, index = bone_classes(skeleton)
    members = np.asarray(index) == np.arange(len(names))[:, None]
    return np.asarray(members / members.sum(axis=1, keepdims=True), np.float32)
