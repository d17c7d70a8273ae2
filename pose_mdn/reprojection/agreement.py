"""How well projected hypotheses agree with keypoints.

Letters in shapes: N rows, M hypotheses, J = 17 joints.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.reprojection.projection import Projection

Float64Array = NDArray[np.float64]

_SMALLEST_SIZE_PX = 1e-6


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Projections beside keypoints.

    Attributes:
        error_px: (N, M, 17) distances; NaN where a joint is missing or behind the camera.
        rms_px: (N, M) root mean squares, weighted by confidence.
        rms_of_size: (N, M) the same, as part of the person's size in the picture.
        distance: (N, M, 17) Mahalanobis distances in the joints' own uncertainty and the keypoints' noise.
        within: (N, M, 17) which joints lie within the stated level of that; false where there is no distance.
    """

    error_px: Float64Array
    rms_px: Float64Array
    rms_of_size: Float64Array
    distance: Float64Array
    within: NDArray[np.bool_]


def person_size_px(keypoints_px: Float64Array, seen: NDArray[np.bool_]) -> Float64Array:
    """(N,) diagonal of the box around the (N, 17, 2) joints that are seen; NaN if none is."""
    low = np.where(seen[..., None], keypoints_px, np.inf).min(axis=1)
    high = np.where(seen[..., None], keypoints_px, -np.inf).max(axis=1)
    size = np.linalg.norm(high - low, axis=-1)
    return np.where(np.isfinite(size), np.maximum(size, _SMALLEST_SIZE_PX), np.nan)


def weighted_rms(square: Float64Array, weight: Float64Array) -> Float64Array:
    """(...) root of the weighted mean of (..., J) squares, over those that are numbers; NaN if there are none."""
    usable = ~np.isnan(square) & (weight > 0)
    weight = np.where(usable, weight, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt((weight * np.where(usable, square, 0.0)).sum(axis=-1) / weight.sum(axis=-1)))


def agree(
    projection: Projection, keypoints_px: Float64Array, confidence: Float64Array, *, noise: float, level: float
) -> Agreement:
    """Compare.

    Args:
        projection: N rows of M hypotheses.
        keypoints_px: (N, 17, 2) what was seen; anything where missing.
        confidence: (N, 17); 0 means missing.
        noise: Standard deviation of keypoints per axis, as part of the person's size.
        level: Probability with which a joint should lie within; the bound of the squared Mahalanobis distance is the
            quantile of chi-square with two degrees of freedom, -2 log(1 - level).
    """
    seen = (confidence > 0) & np.isfinite(keypoints_px).all(axis=-1)
    size = person_size_px(keypoints_px, seen)
    wanted = np.where(seen[..., None], keypoints_px, np.nan)[:, None]
    x, y = (projection.points_px[..., axis] - wanted[..., axis] for axis in range(2))
    square = x * x + y * y
    rms = weighted_rms(square, confidence[:, None].astype(np.float64))
    mahalanobis = _mahalanobis_square(x, y, projection.covariance_px2, np.square(noise * size)[:, None, None])
    with np.errstate(invalid="ignore"):
        return Agreement(
            error_px=np.sqrt(square),
            rms_px=rms,
            rms_of_size=rms / size[:, None],
            distance=np.sqrt(mahalanobis),
            within=mahalanobis <= -2.0 * math.log(1.0 - level),
        )


def _mahalanobis_square(
    x: Float64Array, y: Float64Array, covariance: Float64Array, noise: Float64Array
) -> Float64Array:
    """(...) squared distances of vectors (x, y) under (..., 3) covariances with round noise added."""
    xx, xy, yy = covariance[..., 0] + noise, covariance[..., 1], covariance[..., 2] + noise
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((yy * x * x - 2.0 * xy * x * y + xx * y * y) / (xx * yy - xy * xy))
