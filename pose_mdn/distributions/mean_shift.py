r"""Uphill on a Gaussian mixture: the mean-shift fixed point, with Newton's steps where they are safe.

With precisions :math:`S_i = \Sigma_i^{-1}`, responsibilities :math:`\gamma_i(x)`, :math:`v_i = S_i (\mu_i - x)` and
:math:`A = \sum_i \gamma_i S_i`,

.. math::
    \nabla p = p \sum_i \gamma_i v_i, \qquad
    \nabla\nabla^T p = p \Big(\sum_i \gamma_i v_i v_i^T - A\Big), \qquad
    T(x) = A^{-1} \sum_i \gamma_i S_i \mu_i

The gradient is zero exactly where :math:`T(x) = x`. A step to T(x) never lowers the density, being a step of
expectation maximisation (Carreira-Perpinan, "Mode-finding for mixtures of Gaussian distributions", IEEE PAMI 2000). Let
:math:`\rho` be the largest eigenvalue of the M x M matrix :math:`v_i^T A^{-1} v_j \sqrt{\gamma_i \gamma_j}`. The
Hessian is negative definite exactly if :math:`\rho < 1`, and at a fixed point :math:`\rho` is also the rate at which T
contracts: modes are the attracting fixed points. Newton's step follows from the same small matrix by Woodbury's
identity.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions.ridgeline import ridgeline

if TYPE_CHECKING:
    from pose_mdn.distributions.mixture import GaussianMixture

Floats = NDArray[np.float64]

_STILL = 1e-9
"""A step shorter than this, in standard deviations, is none."""
_ROUNDING = 1e-10
"""Differences of log-densities, in nats, and of rho from 1, that may be errors of rounding."""
_LONGEST_NEWTON_STEP = 1.0
"""In standard deviations; a longer one may leap over a valley."""
MAX_STEPS = 300


def mean_shift(mixture: "GaussianMixture", points: Floats) -> Floats:
    """One step uphill.

    Args:
        mixture: Mixtures of batch shape (...).
        points: (..., D).

    Returns:
        (..., D) points T(x), nowhere of lower density.
    """
    return ridgeline(mixture, mixture.responsibilities(points))


def curvature(mixture: "GaussianMixture", points: Floats) -> Floats:
    """(...) the number rho at (..., D) points; below 1 exactly where the density's Hessian is negative definite."""
    return np.asarray(np.linalg.eigvalsh(_local(mixture, points)[2])[..., -1])


def climb(mixture: "GaussianMixture", points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Follow points uphill to where the density is stationary.

    Args:
        mixture: P mixtures.
        points: (P, D) one start for each.

    Returns:
        (P, D) where they end, and (P,) which of these are modes: stationary, with a negative definite Hessian.
    """
    ends = np.array(points, dtype=np.float64)
    arrived = np.zeros(len(ends), dtype=bool)
    for _ in range(MAX_STEPS):
        moving = np.flatnonzero(~arrived)
        if not len(moving):
            break
        ends[moving], arrived[moving] = _step(take_rows(mixture, moving), ends[moving])
    return ends, arrived & (curvature(mixture, ends) < 1.0)


def take_rows(mixture: "GaussianMixture", rows: Any) -> "GaussianMixture":
    """Some of B mixtures, by mask, by index or by slice."""
    return type(mixture)(
        log_mixing_coefficients=mixture.log_mixing_coefficients[rows], means=mixture.means[rows], std=mixture.std[rows]
    )


def metric(mixture: "GaussianMixture", points: Floats) -> Floats:
    """(..., D) diagonal of A at (..., D) points: what makes lengths there count in standard deviations."""
    return np.asarray(np.sum(mixture.responsibilities(points)[..., None] * mixture.std**-2.0, axis=-2))


def _local(mixture: "GaussianMixture", points: Floats) -> tuple[Floats, Floats, Floats]:
    """A (..., D); the rows sqrt(gamma_i) A^(-1/2) v_i (..., M, D); their products (..., M, M)."""
    gamma = mixture.responsibilities(points)[..., None]
    precision = np.broadcast_to(mixture.std, mixture.means.shape) ** -2.0
    a = np.sum(gamma * precision, axis=-2)
    slopes = np.sqrt(gamma) * precision * (mixture.means - points[..., None, :]) / np.sqrt(a)[..., None, :]
    return a, slopes, slopes @ np.swapaxes(slopes, -1, -2)


def _step(mixture: "GaussianMixture", points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The better of a mean-shift step and, where the Hessian is negative definite, Newton's; who has arrived."""
    a, slopes, products = _local(mixture, points)
    shifted = mean_shift(mixture, points)
    shift = np.sqrt(a) * (shifted - points)
    concave = np.linalg.eigvalsh(products)[:, -1] < 1.0 - _ROUNDING
    identity = np.eye(products.shape[-1])
    system = np.where(concave[:, None, None], identity - products, identity)
    coupled = np.linalg.solve(system, slopes @ shift[..., None])
    step = shift + (np.swapaxes(slopes, -1, -2) @ coupled)[..., 0]
    newton = points + step / np.sqrt(a)
    better = concave & (np.linalg.norm(step, axis=-1) < _LONGEST_NEWTON_STEP)
    better &= mixture.log_prob(newton) >= mixture.log_prob(shifted) - _ROUNDING
    return np.where(better[:, None], newton, shifted), np.linalg.norm(shift, axis=-1) < _STILL
