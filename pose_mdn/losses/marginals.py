"""Scores of the one-dimensional marginals of a mixture: how near to the truth, and whether stated intervals hold."""

import math

import torch
from torch import Tensor

from pose_mdn.distributions.mixture import GaussianMixture


def mixture_crps(mixture: GaussianMixture, target: Tensor) -> Tensor:
    r"""Continuous ranked probability score of each coordinate's marginal, in the coordinate's unit; smaller is better.

    .. math:: \mathrm{CRPS} = \sum_i \alpha_i A(y - \mu_i, \sigma_i^2) - \tfrac12 \sum_{ij} \alpha_i \alpha_j
        A(\mu_i - \mu_j, \sigma_i^2 + \sigma_j^2), \quad A(m, v) = E|Z|,\ Z \sim \mathcal{N}(m, v)

    Grimit et al., "The continuous ranked probability score for circular variables and its application to mesoscale
    forecast ensemble verification", 2006, equation 5.

    Args:
        mixture: B mixtures over D coordinates.
        target: (B, D) points.

    Returns:
        (B, D) values.
    """
    weight = mixture.mixing_coefficients
    variance = mixture.std.expand_as(mixture.means).square()
    to_target = (weight[..., None] * _mean_absolute(target[:, None] - mixture.means, variance)).sum(1)
    difference = mixture.means[:, :, None] - mixture.means[:, None]
    pair_weight = weight[:, :, None] * weight[:, None]
    between = _mean_absolute(difference, variance[:, :, None] + variance[:, None])
    return to_target - 0.5 * (pair_weight[..., None] * between).sum((1, 2))


def pit_distance(mixture: GaussianMixture, target: Tensor) -> Tensor:
    """Cramér-von Mises distance of each coordinate's probability integral transform from uniform.

    If stated distributions are right, F(y) is uniform on [0, 1] over many cases (Dawid 1984). 0 is perfect: an interval
    of any level then holds the truth as often as it says.

    Args:
        mixture: B mixtures over D coordinates.
        target: (B, D) points.

    Returns:
        (D,) mean squared differences between the sorted transforms and the uniform quantiles.
    """
    z = (target[:, None] - mixture.means) / mixture.std.expand_as(mixture.means)
    transform = (mixture.mixing_coefficients[..., None] * 0.5 * (1.0 + torch.erf(z / math.sqrt(2.0)))).sum(1)
    count = len(transform)
    uniform = (torch.arange(count, dtype=transform.dtype) + 0.5) / count
    return (transform.sort(dim=0).values - uniform[:, None]).square().mean(dim=0)


def _mean_absolute(mean: Tensor, variance: Tensor) -> Tensor:
    std = variance.sqrt()
    z = mean / std
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2.0 * math.pi)
    return 2.0 * std * density + mean * torch.erf(z / math.sqrt(2.0))
