"""Sums over joints from which distances to any number of targets follow, without going through the joints again.

With weights w, sum w |p - k|² = sum w |p|² - 2 sum w p·k + sum w |k|²: products of what depends on the hypothesis and
what depends on the row alone, and so a matrix product of each row.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.reprojection.agreement import Float64Array


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Least-squares scale and shift from projections to keypoints, (N, M) each.

    Attributes:
        rms: What is left.
        scale: Factor about the middle.
        shift_px: (N, M, 2) from the middle of the projection to that of the keypoints.
    """

    rms: Float64Array
    scale: Float64Array
    shift_px: Float64Array


@dataclass(frozen=True, kw_only=True)
class PointMoments:
    """Projected joints, ready for products.

    Attributes:
        table: (N, M, 4 * 17) for each joint 1, u, v and u² + v²; all 0 where the joint is nowhere.
    """

    table: Float64Array

    def rms_to(self, targets_px: Float64Array, weight: Float64Array) -> Float64Array:
        """(N, M) weighted RMS distances to (N, 17, 2) targets; NaN without any common joint.

        Args:
            targets_px: Finite also where the weight is 0.
            weight: (N, 17) non-negative.
        """
        u, v = targets_px[..., 0], targets_px[..., 1]
        nothing = np.zeros_like(weight)
        square, total = self._sums(
            [
                (weight * (u * u + v * v), -2.0 * weight * u, -2.0 * weight * v, weight),
                (weight, nothing, nothing, nothing),
            ]
        )
        return _root_of_mean(square, total)

    def scale_and_shift(self, targets_px: Float64Array, weight: Float64Array) -> Fit:
        """The similarity without rotation that maps hypotheses to targets best; arguments as for `rms_to`."""
        u, v = targets_px[..., 0], targets_px[..., 1]
        nothing = np.zeros_like(weight)
        total, point_u, point_v, target_u, target_v, points, products, targets = self._sums(
            [
                (weight, nothing, nothing, nothing),
                (nothing, weight, nothing, nothing),
                (nothing, nothing, weight, nothing),
                (weight * u, nothing, nothing, nothing),
                (weight * v, nothing, nothing, nothing),
                (nothing, nothing, nothing, weight),
                (nothing, weight * u, weight * v, nothing),
                (weight * (u * u + v * v), nothing, nothing, nothing),
            ]
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            points = points - (point_u**2 + point_v**2) / total
            products = products - (point_u * target_u + point_v * target_v) / total
            targets = targets - (target_u**2 + target_v**2) / total
            scale = products / points
            used = np.maximum(scale, 0.0)
            shift = np.stack([(target_u - point_u) / total, (target_v - point_v) / total], axis=-1)
        return Fit(
            rms=_root_of_mean(targets - 2.0 * used * products + used * used * points, total),
            scale=scale,
            shift_px=shift,
        )

    def _sums(self, columns: list[tuple[Float64Array, ...]]) -> Float64Array:
        """(S, N, M) products of the table with columns of four (N, 17) parts each."""
        matrix = np.stack([np.concatenate(parts, axis=-1) for parts in columns], axis=-1)
        return np.moveaxis(self.table @ matrix, -1, 0)


def point_moments(points_px: Float64Array) -> PointMoments:
    """Of (N, M, 17, 2) pixels; NaN is nowhere."""
    usable: NDArray[np.bool_] = ~np.isnan(points_px[..., 0])
    u, v = (np.where(usable, points_px[..., axis], 0.0) for axis in range(2))
    return PointMoments(table=np.concatenate([usable.astype(np.float64), u, v, u * u + v * v], axis=-1))


def _root_of_mean(square: Float64Array, total: Float64Array) -> Float64Array:
    """Sums that rounding took below zero count as zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(np.maximum(square, 0.0) / np.where(total > 0, total, np.nan)))
