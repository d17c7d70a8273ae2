"""Coordinates that are fractions of the picture's size, brought back to pixels."""

from pathlib import Path

import numpy as np

from pose_mdn.formats.faults import fault
from pose_mdn.formats.keypoints.missing import FloatArray

_LARGEST_MEDIAN = 1.5
"""Half of all coordinates of a person lie within the picture; in pixels, nobody is this near its corner."""


def to_pixels(path: Path, keypoints: FloatArray, image_size: tuple[int, int] | None) -> FloatArray:
    """Multiply by width and height, if coordinates are fractions of them; joints outside the picture stay outside.

    Args:
        path: The file, for the message.
        keypoints: (..., 2), NaN where missing.
        image_size: (width, height) in pixels, if known.

    Raises:
        FormatError: They are fractions, and the size is not known.
    """
    seen = np.abs(keypoints[np.isfinite(keypoints)])
    if not seen.size or np.median(seen) > _LARGEST_MEDIAN:
        return keypoints
    if image_size is None:
        raise fault(
            path,
            expected="the size of the pictures, since coordinates are fractions of it",
            got="none in the file",
            cure="pass image_size=(width, height) in pixels, or --image-size 1920x1080",
        )
    return keypoints * np.array(image_size, np.float32)
