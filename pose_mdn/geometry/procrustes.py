"""Similarity alignment of poses, without reflections."""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array


def procrustes_align(pose_m: Array, target_m: Array) -> Array:
    """Rotate, scale and move poses onto targets in the least-squares sense.

    The rotation is proper (determinant +1), so a mirrored body never aligns perfectly: Umeyama, "Least-squares
    estimation of transformation parameters between two point patterns", 1991.

    Args:
        pose_m: (..., J, 3) poses to move.
        target_m: (..., J, 3) poses to move onto.

    Returns:
        (..., J, 3) aligned poses. A pose whose joints all coincide is moved onto the target's centroid.
    """
    xp = array_namespace(pose_m, target_m)
    target_centre = xp.mean(target_m, axis=-2, keepdims=True)
    pose = pose_m - xp.mean(pose_m, axis=-2, keepdims=True)
    target = target_m - target_centre
    u, singular, vt = xp.linalg.svd(xp.matrix_transpose(pose) @ target)
    handedness = xp.sign(xp.linalg.det(u @ vt))
    signs = xp.stack([xp.ones_like(handedness), xp.ones_like(handedness), handedness], axis=-1)
    rotation = (u * signs[..., None, :]) @ vt
    variance = xp.sum(pose * pose, axis=(-2, -1))
    scale = xp.sum(singular * signs, axis=-1) / xp.where(variance > 0, variance, xp.ones_like(variance))
    return scale[..., None, None] * (pose @ rotation) + target_centre
