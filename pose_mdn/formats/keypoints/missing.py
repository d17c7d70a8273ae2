"""What counts as a joint that was seen, for every format alike."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault
from pose_mdn.poses.confidences import LARGEST_SCORE, SCALE_CURE, median_of_percentages

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
        raise _normalized(path, "all within [-1.5, 1.5], as if normalised")


class ScaleWatch:
    """Sees people piece by piece and tells whether these are pixels and confidences, fractions or percentages."""

    def __init__(self) -> None:
        self._largest = 0.0
        self._smallest = np.inf
        self._first: FloatArray | None = None
        self._is_one_point = True
        self._scores = 0
        self._large_scores = 0

    def look(self, joints: FloatArray, seen: NDArray[np.bool_]) -> None:
        """Take (P, J, 3) x, y, confidence as read, and (P, J) which of them were seen."""
        self._scores += int(np.count_nonzero(seen))
        self._large_scores += int(np.count_nonzero(seen & (joints[..., 2] > LARGEST_SCORE)))
        # A few people are enough to see pixels; what the others are like changes nothing then.
        for people in (slice(8), slice(8, None)):
            if self._largest <= _NORMALIZED_LIMIT:
                self._look_at_points(joints[people][seen[people], :2])

    def _look_at_points(self, points: FloatArray) -> None:
        if len(points):
            self._first = points[0] if self._first is None else self._first
            self._largest = max(self._largest, float(np.abs(points).max()))
            self._smallest = min(self._smallest, float(points.min()))
            self._is_one_point = self._is_one_point and bool((points == self._first).all())

    def factor(self, path: Path, image_size: tuple[int, int] | None) -> tuple[float, float]:
        """What x and y are multiplied by to become pixels: 1, or the picture's size if they are fractions of it.

        Args:
            path: The file, for the message.
            image_size: (width, height), if known.

        Raises:
            FormatError: Confidences are percentages or bytes; coordinates are fractions of an unknown size, or some
                are below 0 and may be counted from -1.
        """
        if 2 * self._large_scores > self._scores:
            got = f"most above {LARGEST_SCORE:g}"
            raise fault(path, expected="confidences from 0 to 1", got=got, cure=SCALE_CURE)
        if self._first is None or self._largest > _NORMALIZED_LIMIT or self._is_one_point:
            return (1.0, 1.0)
        if image_size is None or self._smallest < 0:
            raise _normalized(path, "all within [-1.5, 1.5], as if normalised")
        return (float(image_size[0]), float(image_size[1]))


def _normalized(path: Path, got: str) -> FormatError:
    return fault(
        path,
        expected="coordinates in pixels",
        got=got,
        cure="multiply x by the picture's width and y by its height, or pass the picture's size if they are fractions "
        "of it (OpenPose: --keypoint_scale 0)",
    )
