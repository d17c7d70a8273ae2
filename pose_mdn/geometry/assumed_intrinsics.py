"""What is assumed about the camera when the user knows nothing of it. Never silently: each assumption is a sentence."""

import math

import numpy as np
from numpy.typing import NDArray

ASSUMED_DIAGONAL_FIELD_OF_VIEW_DEG = 60.0
"""Between the main camera of a phone (about 70 degrees when filming) and a standard lens (47 degrees)."""

EXTENT_PERCENTILES = (1.0, 99.0)
"""Of x and of y. A few joints that a detector threw far away must not make the picture larger for everybody."""

_FALLBACK_SIZE = (1920, 1080)


def assume_intrinsics(
    image_size: tuple[int, int] | None, keypoints_px: NDArray[np.floating]
) -> tuple[NDArray[np.float64], str]:
    """A plausible pinhole matrix, and the sentence that says what was assumed.

    The principal point is put at the centre of the picture, and the focal length follows from a diagonal field of view
    of 60 degrees. The distance from the camera (`root_translation_m`) is proportional to the focal length, so it is no
    better than this guess; the shape of the pose depends on it far less.

    Args:
        image_size: (width, height) in pixels, if known.
        keypoints_px: (..., 2) all joints seen, NaN where missing; used only if the size is unknown, when the joints are
            taken to fill the picture symmetrically about its centre.

    Returns:
        (3, 3) pinhole matrix, and the sentence for the result's `intrinsics_source`.
    """
    return assume_from_extent(image_size, None if image_size is not None else _extent(keypoints_px))


def assume_from_extent(
    image_size: tuple[int, int] | None, extent: tuple[NDArray[np.floating], NDArray[np.floating]] | None
) -> tuple[NDArray[np.float64], str]:
    """`assume_intrinsics` for those who know the joints' extent already.

    Args:
        image_size: (width, height) in pixels, if known.
        extent: (2,) and (2,) the percentiles `EXTENT_PERCENTILES` of x and of y; `None` if no joint was seen. Used only
            if the size is unknown.
    """
    if image_size is not None:
        width, height = image_size
        basis = f"a picture of {width} x {height} px"
    else:
        width, height = _FALLBACK_SIZE if extent is None else _size_from_extent(*extent)
        basis = f"an unknown picture size, guessed as {width} x {height} px from where the joints are"
    degrees = ASSUMED_DIAGONAL_FIELD_OF_VIEW_DEG
    focal_px = 0.5 * math.hypot(width, height) / math.tan(math.radians(degrees) / 2)
    sentence = (
        f"assumed: diagonal field of view {degrees:.0f} degrees (focal length {focal_px:.0f} px), "
        f"principal point at the centre, no distortion, for {basis}"
    )
    # Pixel centres are whole numbers, so the middle of the picture lies half a pixel before half of its width.
    matrix = [[focal_px, 0.0, (width - 1) / 2], [0.0, focal_px, (height - 1) / 2], [0.0, 0.0, 1.0]]
    return np.array(matrix), sentence


def _extent(keypoints_px: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    points = np.asarray(keypoints_px, np.float64).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return None
    low, high = np.percentile(points, EXTENT_PERCENTILES, axis=0, method="nearest")
    return low, high


def _size_from_extent(low: NDArray[np.floating], high: NDArray[np.floating]) -> tuple[int, int]:
    """The picture from (0, 0) whose centre is the centre of the joints seen, and that is as large as they are."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    extent = np.maximum(np.maximum(low, 0) + np.maximum(high, 1), high - low)
    return math.ceil(extent[0]), math.ceil(extent[1])
