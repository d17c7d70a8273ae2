"""Whether stated uncertainty is the uncertainty that is there."""

import numpy as np
from numpy.typing import NDArray

QUANTILES = np.linspace(0.0, 1.0, 21)
"""Levels 0, 0.05, ..., 1 at which coverage is compared."""


def interval_levels(samples_m: NDArray[np.floating], target_m: NDArray[np.floating]) -> NDArray[np.floating]:
    """Level of the narrowest central interval that holds the truth, for each coordinate.

    Distances are per coordinate from the coordinate-wise sample median, as in Pierzchlewicz et al., "Multi-hypothesis
    3D human pose estimation metrics favor miscalibrated distributions", 2022: the truth is covered at level q if its
    distance is below the q-quantile of the samples' distances, that is, if its level is below q.

    Args:
        samples_m: (..., S) samples of each coordinate.
        target_m: (...) truth.

    Returns:
        (...) levels; -1 for a truth nearer to the median than all samples, 2 for one further away than all.
    """
    count = samples_m.shape[-1]
    median = np.median(samples_m, axis=-1)
    spread = np.sort(np.abs(samples_m - median[..., None]), axis=-1)
    distance = np.abs(target_m - median)
    nearer = np.sum(spread < distance[..., None], axis=-1)
    below = np.take_along_axis(spread, np.clip(nearer - 1, 0, None)[..., None], axis=-1)[..., 0]
    above = np.take_along_axis(spread, np.clip(nearer, None, count - 1)[..., None], axis=-1)[..., 0]
    share = (distance - below) / np.where(above > below, above - below, 1)
    inside: NDArray[np.floating] = (nearer - 1 + share) / (count - 1)
    return np.where(nearer == 0, -1.0, np.where(nearer == count, 2.0, inside)).astype(samples_m.dtype)


def coverage_of_levels(levels: NDArray[np.floating]) -> NDArray[np.float64]:
    """(21, ...) share of (N, ...) levels below each of `QUANTILES`: how many targets each stated interval holds."""
    return np.stack([np.mean(levels < quantile, axis=0, dtype=np.float64) for quantile in QUANTILES])


def coverage_curve(samples_m: NDArray[np.floating], target_m: NDArray[np.floating]) -> NDArray[np.float64]:
    """Share of targets within each central interval that samples state, as `interval_levels` explains.

    Args:
        samples_m: (S, N, J, 3) samples.
        target_m: (N, J, 3) truth.

    Returns:
        (21, J, 3) coverage at each level of `QUANTILES`.
    """
    return coverage_of_levels(interval_levels(np.moveaxis(samples_m, 0, -1), target_m))


def expected_calibration_error(coverage: NDArray[np.float64]) -> float:
    """Mean over levels of |median coverage over joints and coordinates - level|; 0 is perfect."""
    return float(np.mean(np.abs(_signed(coverage))))


def calibration_bias(coverage: NDArray[np.float64]) -> float:
    """Mean over levels of median coverage - level: below 0 intervals are too narrow, above 0 too wide."""
    return float(np.mean(_signed(coverage)))


def coverage_at(coverage: NDArray[np.float64], level: float) -> float:
    """Mean coverage at a level, interpolated between those measured."""
    return float(np.interp(level, QUANTILES, coverage.reshape(len(coverage), -1).mean(axis=1)))


def _signed(coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    difference: NDArray[np.float64] = np.median(coverage.reshape(len(coverage), -1), axis=1) - QUANTILES
    return difference
