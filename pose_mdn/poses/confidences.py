"""Confidences on another scale than from 0 to 1."""

import numpy as np

from pose_mdn.errors import InputError
from pose_mdn.poses.keypoints import FloatArray

LARGEST_SCORE = 10.0
"""Some detectors' scores exceed 1 a little, COCO's visibility is 2; percentages and bytes have larger medians."""
SCALE_CURE = "divide percentages by 100, bytes by 255"
"""What to do about them."""


def median_of_percentages(confidence: FloatArray) -> float | None:
    """Tell percentages and bytes from confidences; all would count as 1 and hide what the detector did not see.

    Args:
        confidence: (N, J), of all rows, so that a single bad row decides nothing.

    Returns:
        The median of those above 0 if it is far above 1, else None.
    """
    if not (confidence > LARGEST_SCORE).any():
        return None  # as in nearly every call, of which the median would be the dearest part
    positive = confidence[np.isfinite(confidence) & (confidence > 0)]
    median = float(np.median(positive)) if positive.size else 0.0
    return median if median > LARGEST_SCORE else None


def refuse_percentages(confidence: FloatArray) -> None:
    """Raise an `InputError` if (N, J) confidences are percentages or bytes."""
    if (median := median_of_percentages(confidence)) is not None:
        message = f"confidence: expected numbers from 0 to 1, got a median of {median:.3g}; {SCALE_CURE}"
        raise InputError(message, field="confidence")
