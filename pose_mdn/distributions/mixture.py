r"""Mixtures of axis-aligned Gaussians, written once for numpy and torch.

.. math:: p(y) = \sum_{i=1}^{M} \alpha_i \prod_{d=1}^{D} \mathcal{N}(y_d;\, \mu_{id}, \sigma_{id}^2)

Bishop, "Mixture Density Networks", 1994. All densities are computed in log space.
"""

import math
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.distributions.modes import Modes, find_modes

_LOG_TWO_PI = math.log(2.0 * math.pi)


def log_sum_exp(values: Array, axis: int = -1) -> Array:
    """Logarithm of a sum of exponentials that neither overflows nor underflows; -inf entries count as zero mass."""
    xp = array_namespace(values)
    top = xp.max(values, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    return xp.squeeze(top, axis=axis) + xp.log(xp.sum(xp.exp(values - top), axis=axis))


@dataclass(frozen=True, kw_only=True)
class GaussianMixture:
    """A batch of mixtures of M Gaussians in D dimensions with diagonal covariance.

    Attributes:
        log_mixing_coefficients: (..., M) logarithms of coefficients that sum to 1.
        means: (..., M, D).
        std: (..., M, D) standard deviations, > 0; the last axis may be 1 for an isotropic component.
    """

    log_mixing_coefficients: Array
    means: Array
    std: Array

    def component_log_prob(self, value: Array) -> Array:
        """(..., M) log-density of each component at (..., D) points."""
        xp = array_namespace(self.means)
        std = xp.broadcast_to(self.std, self.means.shape)
        z = (value[..., None, :] - self.means) / std
        dimensions = self.means.shape[-1]
        return -0.5 * xp.sum(z * z, axis=-1) - xp.sum(xp.log(std), axis=-1) - 0.5 * dimensions * _LOG_TWO_PI

    def log_prob(self, value: Array) -> Array:
        """(...) log-density in nats at (..., D) points."""
        return log_sum_exp(self.log_mixing_coefficients + self.component_log_prob(value))

    def responsibilities(self, value: Array) -> Array:
        """(..., M) posterior probability that each component produced the (..., D) points."""
        xp = array_namespace(self.means)
        joint = self.log_mixing_coefficients + self.component_log_prob(value)
        return xp.exp(joint - log_sum_exp(joint)[..., None])

    @property
    def mixing_coefficients(self) -> Array:
        """(..., M) probabilities of the components."""
        return array_namespace(self.means).exp(self.log_mixing_coefficients)

    @property
    def mean(self) -> Array:
        """(..., D) mean of the mixture."""
        return array_namespace(self.means).sum(self.mixing_coefficients[..., None] * self.means, axis=-2)

    @property
    def variance(self) -> Array:
        """(..., D) variance of each coordinate: within the components plus between their means."""
        xp = array_namespace(self.means)
        between = self.means - self.mean[..., None, :]
        within = xp.broadcast_to(self.std, self.means.shape) ** 2
        return xp.sum(self.mixing_coefficients[..., None] * (within + between * between), axis=-2)

    @property
    def most_probable_component(self) -> Array:
        """(...) index of the component with the largest mixing coefficient."""
        return array_namespace(self.means).argmax(self.log_mixing_coefficients, axis=-1)

    @property
    def most_probable_mean(self) -> Array:
        """(..., D) mean of the most probable component."""
        xp = array_namespace(self.means)
        chosen = self.most_probable_component[..., None] == xp.arange(self.means.shape[-2])
        return xp.sum(xp.where(chosen[..., None], self.means, xp.zeros_like(self.means)), axis=-2)

    def modes(self) -> Modes:
        """All local maxima of the density of each mixture, highest first; there may be fewer or more than M."""
        return find_modes(self)

    def sample(self, num_samples: int, rng: np.random.Generator) -> Array:
        """Draw independent samples.

        Args:
            num_samples: S, samples per mixture.
            rng: Source of randomness; the same seed gives the same samples on numpy and torch.

        Returns:
            (S, ..., D) samples.
        """
        xp = array_namespace(self.means)
        batch = tuple(self.means.shape[:-2])
        uniform = xp.asarray(rng.random((num_samples, *batch, 1)), dtype=self.means.dtype)
        cumulative = xp.cumulative_sum(self.mixing_coefficients, axis=-1)
        component = xp.sum(xp.astype(uniform > cumulative[..., :-1], xp.int64), axis=-1)
        chosen = (component[..., None] == xp.arange(self.means.shape[-2]))[..., None]
        noise = xp.asarray(rng.standard_normal((num_samples, *batch, self.means.shape[-1])), dtype=self.means.dtype)
        zero = xp.zeros_like(self.means)
        mean = xp.sum(xp.where(chosen, self.means, zero), axis=-2)
        std = xp.sum(xp.where(chosen, xp.broadcast_to(self.std, self.means.shape), zero), axis=-2)
        return mean + std * noise
