"""Where the pelvis must be for a root-relative pose to look like the picture."""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array

_SMALLEST = 1e-9
"""Bounds denominators from below; added instead, it would not survive the exporter, to which less than 1e-8 is 0."""
MIN_ROOT_DEPTH_M = 0.1
MAX_ROOT_DEPTH_M = 1000.0


def solve_root_translation(pose_m: Array, slopes: Array, weight: Array) -> Array:
    """Least-squares root translation in closed form.

    A joint X seen at slope (x, y) after translation T must satisfy X_x + T_x = x (X_z + T_z), and the same for y:
    linear in T. The weighted normal equations have a diagonal block for T_x and T_y, so eliminating those leaves

        T_z = sum w [(x - x̄)(b - b̄) + (y - ȳ)(c - c̄)] / sum w [(x - x̄)^2 + (y - ȳ)^2]
        with b = X_x - x X_z and c = X_y - y X_z

    and weighted means, which stays well conditioned in single precision.

    Args:
        pose_m: (..., J, 3) root-relative poses.
        slopes: (..., J, 2) observed points on the plane z = 1 of the same frame.
        weight: (..., J) non-negative weights; 0 for missing joints.

    Returns:
        (..., 3) translations, with depth kept within [0.1 m, 1 km].
    """
    xp = array_namespace(pose_m, slopes, weight)
    share = (weight / xp.clip(xp.sum(weight, axis=-1, keepdims=True), _SMALLEST, None))[..., None]
    # The right-hand side with its sign turned: T_xy = slope * T_z - offset.
    offset = pose_m[..., :2] - slopes * pose_m[..., 2:]
    mean_slope = xp.sum(share * slopes, axis=-2, keepdims=True)
    mean_offset = xp.sum(share * offset, axis=-2, keepdims=True)
    centred = slopes - mean_slope
    numerator = xp.sum(share * centred * (offset - mean_offset), axis=(-2, -1))
    depth = numerator / xp.clip(xp.sum(share * centred * centred, axis=(-2, -1)), _SMALLEST, None)
    depth = xp.clip(depth, MIN_ROOT_DEPTH_M, MAX_ROOT_DEPTH_M)[..., None]
    return xp.concat([mean_slope[..., 0, :] * depth - mean_offset[..., 0, :], depth], axis=-1)
