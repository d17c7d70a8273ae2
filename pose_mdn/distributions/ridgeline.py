r"""The ridgeline: the small surface on which all stationary points of a Gaussian mixture lie.

.. math:: x^*(w) = \Big(\sum_i w_i \Sigma_i^{-1}\Big)^{-1} \sum_i w_i \Sigma_i^{-1} \mu_i, \quad w_i \ge 0, \sum w_i = 1

In however many dimensions, M components have a ridgeline of M - 1 dimensions; for two it is a curve from one mean to
the other, and the modes of the mixture are the local maxima of the density along it. Ray and Lindsay, "The topography
of multivariate normal mixtures", Annals of Statistics 2005. A point of it is stationary if w are its responsibilities:
then it is a fixed point of mean shift.
"""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pose_mdn.distributions.mixture import GaussianMixture

Floats = NDArray[np.float64]

_STEEPEST_LOGIT = 14.0
"""Weights beyond this are taken for 0 and 1; variances that differ a million times bend the curve before it."""
_RESOLUTION_OF_TWO = 257
_RESOLUTION = 33
"""Points on the curve between two components, for two components in all and for more."""
_MOST_FOR_TRIPLES = 12
"""With more components than this, triples of them are no starts any more: their number grows as its cube."""


def ridgeline(mixture: "GaussianMixture", weights: Floats) -> Floats:
    """Points of the ridgeline.

    Args:
        mixture: Mixtures of batch shape (...).
        weights: (..., M) non-negative, not all zero; their sum does not matter.

    Returns:
        (..., D) points x*(w).
    """
    weighted = weights[..., None] * np.broadcast_to(mixture.std, mixture.means.shape) ** -2.0
    return np.asarray(np.sum(weighted * mixture.means, axis=-2) / np.sum(weighted, axis=-2))


def curve_weights(num_components: int, pair: tuple[int, int], points: int) -> Floats:
    """(points, M) weights along the curve between two components, both ends included, closer together near them."""
    share = 1.0 / (1.0 + np.exp(-np.linspace(-_STEEPEST_LOGIT, _STEEPEST_LOGIT, points)))
    share[0], share[-1] = 0.0, 1.0
    weights = np.zeros((points, num_components))
    weights[:, pair[0]], weights[:, pair[1]] = 1.0 - share, share
    return weights


def starting_points(mixture: "GaussianMixture") -> tuple[NDArray[np.int64], Floats]:
    """Points from which every mode should be reached uphill.

    These are the component means, the maxima of the density along the curve between any two components, and the centres
    x*(equal weights) of any three (of twelve components at most) and of all. For two components the list is complete,
    up to the curve's resolution.

    Args:
        mixture: B mixtures with finite parameters.

    Returns:
        (P,) which mixture a point is for, and (P, D) the points.
    """
    count = mixture.means.shape[-2]
    subsets: list[tuple[int, ...]] = list(combinations(range(count), 3)) if count <= _MOST_FOR_TRIPLES else []
    if count > 3:
        subsets.append(tuple(range(count)))
    weights = np.zeros((count + len(subsets), count))
    weights[:count] = np.eye(count)
    for row, subset in enumerate(subsets, start=count):
        weights[row, list(subset)] = 1.0
    points = ridgeline(_with_points(mixture), weights[None])
    rows = np.repeat(np.arange(len(points)), points.shape[1])
    crests = [_crests(mixture, pair) for pair in combinations(range(count), 2)]
    return (
        np.concatenate([rows, *(of for of, _ in crests)]),
        np.concatenate([points.reshape(-1, points.shape[-1]), *(at for _, at in crests)]),
    )


def _crests(mixture: "GaussianMixture", pair: tuple[int, int]) -> tuple[NDArray[np.int64], Floats]:
    """Local maxima of the whole mixture's density along the curve between two components, its ends left out."""
    count = mixture.means.shape[-2]
    weights = curve_weights(count, pair, _RESOLUTION_OF_TWO if count == 2 else _RESOLUTION)
    spread = _with_points(mixture)
    curve = ridgeline(spread, weights[None])
    density = spread.log_prob(curve)
    inner = density[:, 1:-1]
    rows, at = np.nonzero((inner >= density[:, :-2]) & (inner >= density[:, 2:]))
    return rows, curve[rows, at + 1]


def _with_points(mixture: "GaussianMixture") -> "GaussianMixture":
    """The same mixtures with a batch axis of length 1 more, for many points each."""
    return type(mixture)(
        log_mixing_coefficients=mixture.log_mixing_coefficients[:, None],
        means=mixture.means[:, None],
        std=mixture.std[:, None],
    )
