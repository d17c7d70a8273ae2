"""Distances between poses, in millimetres. Poses are in metres; compare root-relative poses in the same frame."""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.geometry.procrustes import procrustes_align

_MM = 1000.0


def mpjpe_mm(pose_m: Array, target_m: Array) -> Array:
    """Mean per-joint position error ("protocol 1") of (..., J, 3) poses: (...)."""
    return array_namespace(pose_m, target_m).mean(joint_errors_mm(pose_m, target_m), axis=-1)


def joint_errors_mm(pose_m: Array, target_m: Array) -> Array:
    """(..., J) distance of each joint of (..., J, 3) poses."""
    xp = array_namespace(pose_m, target_m)
    difference = pose_m - target_m
    return _MM * xp.sqrt(xp.sum(difference * difference, axis=-1))


def n_mpjpe_mm(pose_m: Array, target_m: Array) -> Array:
    """MPJPE after the least-squares scaling of each pose: Rhodin et al., CVPR 2018."""
    xp = array_namespace(pose_m, target_m)
    dot = xp.sum(pose_m * target_m, axis=(-2, -1), keepdims=True)
    square = xp.sum(pose_m * pose_m, axis=(-2, -1), keepdims=True)
    return mpjpe_mm(pose_m * (dot / xp.where(square > 0, square, xp.ones_like(square))), target_m)


def pa_mpjpe_mm(pose_m: Array, target_m: Array) -> Array:
    """MPJPE after similarity alignment without reflection ("protocol 2")."""
    return mpjpe_mm(procrustes_align(pose_m, target_m), target_m)
