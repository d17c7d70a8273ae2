"""The ideal pinhole, written once for numpy and torch: pixels to ray slopes and back.

A *slope* is a point (x, y) on the plane z = 1 of the camera frame (x right, y down, z forward); it stands for the ray
through the optical centre and (x, y, 1). Pixels are undistorted here; `pose_mdn.geometry.camera` handles lenses.
"""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array

MIN_DEPTH_M = 0.05
"""Points nearer to the camera plane than this are projected as if they were here, so that errors stay finite."""


def pixels_to_slopes(keypoints_px: Array, intrinsics: Array) -> Array:
    """Back-project pixels to the plane z = 1.

    Args:
        keypoints_px: (..., J, 2) undistorted pixels.
        intrinsics: (..., 3, 3) pinhole matrices [[fx, skew, cx], [0, fy, cy], [0, 0, 1]].

    Returns:
        (..., J, 2) slopes x/z and y/z.
    """
    xp = array_namespace(keypoints_px, intrinsics)
    k = intrinsics[..., None, :, :]
    y = (keypoints_px[..., 1] - k[..., 1, 2]) / k[..., 1, 1]
    x = (keypoints_px[..., 0] - k[..., 0, 2] - k[..., 0, 1] * y) / k[..., 0, 0]
    return xp.stack([x, y], axis=-1)


def slopes_to_pixels(slopes: Array, intrinsics: Array) -> Array:
    """Project slopes to pixels; the inverse of `pixels_to_slopes`.

    Args:
        slopes: (..., J, 2) points on the plane z = 1.
        intrinsics: (..., 3, 3) pinhole matrices.

    Returns:
        (..., J, 2) undistorted pixels.
    """
    xp = array_namespace(slopes, intrinsics)
    k = intrinsics[..., None, :, :]
    u = k[..., 0, 0] * slopes[..., 0] + k[..., 0, 1] * slopes[..., 1] + k[..., 0, 2]
    v = k[..., 1, 1] * slopes[..., 1] + k[..., 1, 2]
    return xp.stack([u, v], axis=-1)


def camera_to_slopes(points_m: Array) -> Array:
    """Perspective division of camera-frame points.

    Args:
        points_m: (..., 3) positions in the camera frame.

    Returns:
        (..., 2) slopes; depths below `MIN_DEPTH_M` count as `MIN_DEPTH_M`.
    """
    xp = array_namespace(points_m)
    depth = points_m[..., 2:]
    return points_m[..., :2] / xp.where(depth < MIN_DEPTH_M, xp.full_like(depth, MIN_DEPTH_M), depth)
