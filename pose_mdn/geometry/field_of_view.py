"""Between a camera's field of view and its pinhole matrix."""

import math

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.fisheye import ray_angle
from pose_mdn.geometry.lens import undistort_slopes
from pose_mdn.geometry.pinhole import pixels_to_slopes
from pose_mdn.poses.lens_model import FISHEYE

Float64Array = NDArray[np.float64]


def centred_intrinsics(image_size: tuple[int, int], focal_px: float) -> Float64Array:
    """The pinhole matrix (3, 3) with square pixels whose optical axis goes through the middle of the picture."""
    width, height = image_size
    # Pixel centres are whole numbers, so the middle of the picture lies half a pixel before half of its width.
    return np.array([[focal_px, 0.0, (width - 1) / 2], [0.0, focal_px, (height - 1) / 2], [0.0, 0.0, 1.0]])


def intrinsics_of_field_of_view(image_size: tuple[int, int], horizontal_rad: float) -> Float64Array:
    """The pinhole matrix (3, 3) of an ideal lens whose picture is that wide.

    Args:
        image_size: (width, height) in pixels.
        horizontal_rad: Angle between the left and the right edge of the picture.

    Raises:
        InputError: The angle is not between 0 and 180 degrees.
    """
    if not 0 < horizontal_rad < math.pi:
        degrees = math.degrees(horizontal_rad)
        raise InputError(f"fov: expected degrees between 0 and 180, got {degrees:g}", field="fov")
    return centred_intrinsics(image_size, image_size[0] / 2 / math.tan(horizontal_rad / 2))


def field_of_view_rad(camera: Camera) -> tuple[float, float] | None:
    """How wide and how high the picture is, as angles along the lines through the principal point.

    Returns:
        (horizontal, vertical); NaN where the lens model ends before the picture does. `None` if the size of the picture
        is unknown.
    """
    if camera.image_size is None:
        return None
    width, height = camera.image_size
    cx, cy = camera.intrinsics[:2, 2]
    edges_px = np.array([[-0.5, cy], [width - 0.5, cy], [cx, -0.5], [cx, height - 0.5]])
    slopes = np.asarray(pixels_to_slopes(edges_px, camera.intrinsics))
    radius = np.hypot(slopes[:, 0], slopes[:, 1])
    if camera.lens_model == FISHEYE:
        angles = ray_angle(radius, camera.distortion)
    else:
        ideal = undistort_slopes(slopes, camera.distortion)
        angles = np.arctan(np.hypot(ideal[:, 0], ideal[:, 1]))
    left, right, top, bottom = angles * np.sign([slopes[0, 0], slopes[1, 0], slopes[2, 1], slopes[3, 1]])
    return float(right - left), float(bottom - top)
