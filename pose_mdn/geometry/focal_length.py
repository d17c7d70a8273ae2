r"""What is known of an unknown focal length: a distribution over its logarithm on a grid.

Before any picture is looked at, the focal length f of a picture with diagonal d is log-normal:

.. math:: \log (f / d) \sim \mathcal{N}(\log 0.866,\; 0.45^2)

0.866 is a diagonal field of view of 60 degrees, a 37 mm lens in terms of 35 mm film. Its 68 % interval, 24 to 59 mm,
reaches from the main camera of a phone to a portrait lens; its 95 % interval, 15 to 91 mm, from action cameras to
moderate telephoto lenses. Structure-from-motion programs that know nothing start with 1.2 times the longer side of the
picture, which is 45 mm and well inside. A broad prior is meant: what is weak must not look like knowledge.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

PRIOR_FOCAL_PER_DIAGONAL = 1 / (2 * math.tan(math.radians(30)))
"""Median of f / d: a diagonal field of view of 60 degrees, as is assumed without an estimate."""

PRIOR_LOG_STD = 0.45
"""Standard deviation of log f, a factor of 1.57."""

GRID = np.linspace(-3.0, 3.0, 19) * PRIOR_LOG_STD + math.log(PRIOR_FOCAL_PER_DIAGONAL)
"""Logarithms of f / d at which the evidence is looked at."""

_FINE = 20
"""Steps between two nodes of `GRID`, for quantiles."""

_NODES = np.array([0.0, -math.sqrt(3.0), math.sqrt(3.0)])
_WEIGHTS = np.array([2.0, 0.5, 0.5]) / 3.0
"""Gauss-Hermite quadrature with three nodes, the middle first (Abramowitz and Stegun, table 25.10)."""

_SILENT_NATS = 0.02
"""A posterior this near to the prior (Kullback-Leibler divergence) holds nothing that the prior does not."""


@dataclass(frozen=True, kw_only=True)
class FocalLength:
    """A distribution over the focal length of one camera.

    Attributes:
        diagonal_px: Of the picture.
        log_evidence: (G,) logarithm of the likelihood on `GRID`, up to a constant.
        rows: How many rows it rests on.
    """

    diagonal_px: float
    log_evidence: Float64Array
    rows: int

    @property
    def focal_px(self) -> float:
        """The estimate: the exponential of the mean logarithm."""
        return self.diagonal_px * math.exp(self._log_mean)

    @property
    def log_std(self) -> float:
        """Standard deviation of log f; 0.1 is about 10 %."""
        nodes, probability = self._posterior
        return math.sqrt(float(probability @ (nodes - self._log_mean) ** 2))

    @property
    def information_nats(self) -> float:
        """How much the picture told: the Kullback-Leibler divergence of the posterior from the prior."""
        nodes, probability = self._posterior
        prior = _normalized(_log_prior(nodes))
        return float(probability @ np.log(np.maximum(probability, 1e-300) / prior))

    @property
    def says_nothing(self) -> bool:
        """Whether the posterior is the prior, for all that matters."""
        return self.information_nats < _SILENT_NATS

    def quantile_px(self, share: float) -> float:
        """The focal length below which this share of the probability lies."""
        nodes, probability = self._posterior
        middle = np.cumsum(probability) - probability / 2
        return self.diagonal_px * math.exp(float(np.interp(share, middle, nodes)))

    def share_below(self, focal_px: float) -> float:
        """The probability of a shorter focal length."""
        nodes, probability = self._posterior
        middle = np.cumsum(probability) - probability / 2
        return float(np.interp(math.log(focal_px / self.diagonal_px), nodes, middle))

    def quadrature_px(self) -> tuple[Float64Array, Float64Array]:
        """(3,) focal lengths, the estimate first, and their (3,) weights, with the posterior's mean and variance."""
        return self.focal_px * np.exp(self.log_std * _NODES), _WEIGHTS

    def __str__(self) -> str:
        low, high = self.quantile_px(0.16), self.quantile_px(0.84)
        found = f"f = {self.focal_px:.0f} px ({low:.0f}-{high:.0f}, 68 %)"
        if self.says_nothing:
            return (
                f"not told by the person, who is too far away or seen too seldom: {found} is what cameras usually have"
            )
        return f"estimated from the person: {found}, from {self.rows} row{'s' if self.rows != 1 else ''}"

    @property
    def _log_mean(self) -> float:
        nodes, probability = self._posterior
        return float(probability @ nodes)

    @property
    def _posterior(self) -> tuple[Float64Array, Float64Array]:
        """Logarithms of f / d on a finer grid, and their probabilities."""
        nodes = np.linspace(GRID[0], GRID[-1], _FINE * (len(GRID) - 1) + 1)
        return nodes, _normalized(_log_prior(nodes) + np.interp(nodes, GRID, self.log_evidence))


def _log_prior(log_focal: Float64Array) -> Float64Array:
    """Up to a constant, at logarithms of f / d."""
    return -0.5 * ((log_focal - math.log(PRIOR_FOCAL_PER_DIAGONAL)) / PRIOR_LOG_STD) ** 2


def _normalized(log_weight: Float64Array) -> Float64Array:
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())
