"""How smooth a film of poses is, and how truly it moves. Poses are in metres, results in millimetres."""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.metrics.joint_errors import mpjpe_mm


def mpjve_mm(pose_m: Array, target_m: Array) -> Array:
    """Mean per-joint velocity error of (..., T, J, 3) films, mm per frame: (..., T - 1).

    MPJPE of the first differences over time: Pavllo et al., "3D human pose estimation in video with temporal
    convolutions and semi-supervised training", CVPR 2019.
    """
    return mpjpe_mm(pose_m[..., 1:, :, :] - pose_m[..., :-1, :, :], target_m[..., 1:, :, :] - target_m[..., :-1, :, :])


def acceleration_error_mm_s2(pose_m: Array, target_m: Array, fps: float) -> Array:
    """Mean per-joint acceleration error of (..., T, J, 3) films, mm/s²: (..., T - 2).

    Distance of second differences over time, here per second squared instead of per frame squared: Kanazawa et al.,
    "Learning 3D human dynamics from video", CVPR 2019.
    """
    return mpjpe_mm(_second_difference(pose_m), _second_difference(target_m)) * fps**2


def acceleration_mm_s2(pose_m: Array, fps: float) -> Array:
    """Mean acceleration of the joints of (..., T, J, 3) films, mm/s²: (..., T - 2). Of a shaking film, its jitter."""
    difference = _second_difference(pose_m)
    return mpjpe_mm(difference, array_namespace(pose_m).zeros_like(difference)) * fps**2


def _second_difference(pose_m: Array) -> Array:
    return pose_m[..., 2:, :, :] - 2.0 * pose_m[..., 1:-1, :, :] + pose_m[..., :-2, :, :]
