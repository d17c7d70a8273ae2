"""What counts as a joint that was seen, for every format alike."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault
from pose_mdn.poses.confidences import SCALE_CURE, median_of_percentages

FloatArray = NDArray[np.float32]

_NORMALIZED_LIMIT = 1.5
"""Coordinates normalised to [-1, 1] or [0, 1] stay below this even when joints lie outside the picture."""


def mark_missing(path: Path, keypoints_px: FloatArray, confidence: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give missing joints one form: NaN coordinates and confidence 0.

    A joint is missing if its confidence is not above 0 or not a number, or if a coordinate is not finite.

    Args:
        path: The file, for the message.
        keypoints_px: (N, J, 2) as read.
        confidence: (N, J) as read; values above 1 are clipped to 1.

    Returns:
        The same, with missing joints marked.

    Raises:
        FormatError: Confidences are percentages or bytes.
    """
    if (median := median_of_percentages(confidence)) is not None:
        raise fault(path, expected="confidences from 0 to 1", got=f"a median of {median:.3g}", cure=SCALE_CURE)
    finite = np.isfinite(keypoints_px)
    # numpy's reduction of an axis of two takes several times as long.
    seen = (confidence > 0) & finite[..., 0] & finite[..., 1]
    keypoints_px, confidence = keypoints_px.astype(np.float32), np.minimum(confidence, np.float32(1))
    keypoints_px[~seen], confidence[~seen] = np.nan, 0
    return keypoints_px, confidence


def refuse_normalized(path: Path, keypoints_px: FloatArray) -> None:
    """Refuse coordinates that were divided by the picture's size; nobody is one pixel tall.

    Args:
        path: The file, for the message.
        keypoints_px: (N, J, 2), NaN where missing.

    Raises:
        FormatError: All coordinates lie within [-1.5, 1.5], and not all in one point.
    """
    seen = keypoints_px[np.isfinite(keypoints_px).all(axis=-1)]
    if len(seen) and np.abs(seen).max() <= _NORMALIZED_LIMIT and (seen != seen[0]).any():
        raise fault(
            path,
            expected="coordinates in pixels",
            got="all within [-1.5, 1.5], as if normalised",
            cure="multiply x by the picture's width and y by its height (OpenPose: --keypoint_scale 0)",
        )
