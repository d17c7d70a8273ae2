"""What the picture says about each joint, in the shape that derivatives want.

The lens is undone once. An error in slopes e then shows in the picture as G e pixels, G being the derivative of the
lens and the pinhole at the observed point, so that noise of n pixels weighs it with Gᵀ G / n².

Letters in shapes: N rows, J = 17 joints.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.lens import distort_slopes, is_ideal, undistort_slopes
from pose_mdn.geometry.pinhole import pixels_to_slopes
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection.agreement import person_size_px
from pose_mdn.reprojection.check import observations

Float64Array = NDArray[np.float64]

_LENS_STEP = 1e-5
"""In slopes: the derivative of the lens is a difference over a fiftieth of a pixel."""
_SMALLEST_NOISE_PX = 1e-3
"""A thousandth of a pixel: no detector's keypoints are exact."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The 2D evidence of N rows, as seen by an ideal camera.

    Attributes:
        slopes: (2, J, N) points of the plane z = 1; 0 where nothing was seen.
        precision: (3, J, N) entries xx, xy, yy of the inverse covariance of the slopes, Gᵀ G / n².
        confidence: (J, N) in [0, 1]; 0 where nothing was seen.
    """

    slopes: Float64Array
    precision: Float64Array
    confidence: Float64Array


def observe(hypotheses: HypothesisSequence, noise: float) -> Observed:
    """The keypoints that were lifted, through the camera that they were lifted with.

    Args:
        hypotheses: N rows.
        noise: Standard deviation of keypoints per axis, as part of the diagonal of the box around the person.
    """
    points, confidence = observations(hypotheses, None, None)
    intrinsics, lens = hypotheses.intrinsics.astype(np.float64), (hypotheses.distortion, hypotheses.lens_model)
    drawn = np.asarray(pixels_to_slopes(points, intrinsics))
    slopes = undistort_slopes(drawn, *lens)
    confidence = np.where(np.isfinite(slopes).all(axis=-1), confidence, 0.0)
    seen = confidence > 0
    slopes = np.where(seen[..., None], slopes, 0.0)
    noise_px = np.maximum(noise * np.nan_to_num(person_size_px(points, seen)), _SMALLEST_NOISE_PX)
    pinhole = intrinsics[:, None, :2, :2]
    derivative = np.broadcast_to(pinhole, (*slopes.shape, 2))
    if not is_ideal(*lens):
        columns = [
            (distort_slopes(slopes + step, *lens) - distort_slopes(slopes - step, *lens)) / (2 * _LENS_STEP)
            for step in _LENS_STEP * np.eye(2)
        ]
        derivative = pinhole @ np.stack(columns, axis=-1)
    (a, b), (c, d) = np.moveaxis(derivative, (-2, -1), (0, 1)) / noise_px[:, None]
    precision = np.nan_to_num(np.stack([a * a + c * c, a * b + c * d, b * b + d * d]))
    return Observed(
        slopes=np.moveaxis(slopes, 0, -1).swapaxes(0, 1).copy(),
        precision=np.moveaxis(precision, 1, -1).copy(),
        confidence=confidence.T.copy(),
    )
