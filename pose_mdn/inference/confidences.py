"""Confidences on another scale than from 0 to 1."""

import numpy as np

from pose_mdn.errors import InputError
from pose_mdn.poses.keypoints import FloatArray

_LARGEST_SCORE = 10.0
"""Some detectors' scores exceed 1 a little, COCO's visibility is 2; percentages and bytes have larger medians."""


def refuse_percentages(confidence: FloatArray) -> None:
    """Refuse confidences that would all count as 1 and so hide what the detector did not see.

    Args:
        confidence: (N, J), of all rows, so that a single bad row decides nothing.

    Raises:
        InputError: Most of those above 0 are far above 1.
    """
    positive = confidence[np.isfinite(confidence) & (confidence > 0)]
    if positive.size and (median := float(np.median(positive))) > _LARGEST_SCORE:
        raise InputError(
            f"confidence: expected numbers from 0 to 1, got a median of {median:.3g}; divide percentages by 100, "
            "bytes by 255",
            field="confidence",
        )
