"""How joints move: at a constant velocity that random accelerations change.

A coordinate x with velocity v obeys x' = v, v' = white noise of intensity q (m²/s³). Over a time dt, the mean (x, v)
becomes (x + v dt, v), and the covariance, written by its entries (xx, xv, vv),

    xx + 2 xv dt + vv dt² + q dt³ / 3,    xv + vv dt + q dt² / 2,    vv + q dt

(Bar-Shalom, Li & Kirubarajan, "Estimation with Applications to Tracking and Navigation", section 6.2.2). Backwards in
time the same model holds with the velocity's sign turned, so that a filter run from the end is a filter.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

_ACCELERATION: Mapping[str, float] = {
    "hip": 0.07, "knee": 0.76, "ankle": 1.43, "spine": 0.10, "thorax": 0.28, "neck_nose": 0.36, "head_top": 0.49,
    "shoulder": 0.37, "elbow": 0.89, "wrist": 1.15,
}  # fmt: skip
"""Intensities in m²/s³, relative to the pelvis: mean squared second differences of 150 clips of the training motions at
30 fps, times 30."""


JOINT_INTENSITIES: Float64Array = np.array(
    [_ACCELERATION.get(name.removeprefix("l_").removeprefix("r_"), 0.0) for name in HUMAN36M17.joint_names]
)
"""(17,) q of each joint, m²/s³; 0 for the pelvis, the origin."""


def moved_mean(mean: Float64Array, time_s: float) -> Float64Array:
    """Means (..., 2, J, 3) of positions and velocities after a time."""
    later = mean.copy()
    later[..., 0, :, :] += time_s * mean[..., 1, :, :]
    return later


def moved_covariance(covariance: Float64Array, time_s: float, intensity: Float64Array) -> Float64Array:
    """Covariances (..., 3, J, A), entries xx, xv, vv, after a time; intensities (J, A)."""
    xx, xv, vv = (covariance[..., entry, :, :] for entry in range(3))
    later = np.empty_like(covariance)
    later[..., 0, :, :] = xx + time_s * (2.0 * xv + time_s * (vv + intensity * (time_s / 3.0)))
    later[..., 1, :, :] = xv + time_s * (vv + intensity * (time_s / 2.0))
    later[..., 2, :, :] = vv + intensity * time_s
    return later


def roughness(time_s: Float64Array, intensity: Float64Array) -> Float64Array:
    """Precision of T positions under this model, velocities integrated out.

    The change of slope at an inner time, d_i = (x_{i+1} - x_i) / h_i - (x_i - x_{i-1}) / h_{i-1} with steps h, is
    normal with variance (q_{i-1} h_{i-1} + q_i h_i) / 3 and covariance q_i h_i / 6 with its neighbour: the integral of
    white noise against two hat functions. So the precision is D' V⁻¹ D, which leaves straight lines free (Green &
    Silverman, "Nonparametric Regression and Generalized Linear Models", section 2.1).

    Args:
        time_s: (T,) ascending.
        intensity: (T - 1,) q of each step.

    Returns:
        (T, T), of rank T - 2.
    """
    count = len(time_s)
    if count < 3:
        return np.zeros((count, count))
    step = np.diff(time_s)
    noise = intensity * step
    inner = np.arange(count - 2)
    change = np.zeros((count - 2, count))
    change[inner, inner] = 1.0 / step[:-1]
    change[inner, inner + 2] = 1.0 / step[1:]
    change[inner, inner + 1] = -1.0 / step[:-1] - 1.0 / step[1:]
    variance = np.diag((noise[:-1] + noise[1:]) / 3.0)
    variance[inner[:-1], inner[1:]] = variance[inner[1:], inner[:-1]] = noise[1:-1] / 6.0
    return np.asarray(change.T @ np.linalg.solve(variance, change))
