"""Whether stated uncertainty is the uncertainty that is there."""

import numpy as np
from numpy.typing import NDArray

QUANTILES = np.linspace(0.0, 1.0, 21)
"""Levels 0, 0.05, ..., 1 at which coverage is compared."""


def coverage_curve(samples_m: NDArray[np.floating], target_m: NDArray[np.floating]) -> NDArray[np.float64]:
    """Share of targets within each central interval that samples state.

    Distances are per coordinate from the coordinate-wise sample median, as in Pierzchlewicz et al., "Multi-hypothesis
    3D human pose estimation metrics favor miscalibrated distributions", 2022.

    Args:
        samples_m: (S, N, J, 3) samples.
        target_m: (N, J, 3) truth.

    Returns:
        (21, J, 3) coverage at each level of `QUANTILES`.
    """
    median = np.median(samples_m, axis=0)
    spread = np.quantile(np.abs(samples_m - median), QUANTILES, axis=0)
    distance = np.abs(target_m - median)
    coverage: NDArray[np.float64] = np.mean(distance < spread, axis=1, dtype=np.float64)
    return coverage


def expected_calibration_error(coverage: NDArray[np.float64]) -> float:
    """Mean over levels of |median coverage over joints and coordinates - level|; 0 is perfect."""
    flat = coverage.reshape(len(coverage), -1)
    return float(np.mean(np.abs(np.median(flat, axis=1) - QUANTILES)))


def coverage_at(coverage: NDArray[np.float64], level: float) -> float:
    """Mean coverage at a level, interpolated between those measured."""
    return float(np.interp(level, QUANTILES, coverage.reshape(len(coverage), -1).mean(axis=1)))
