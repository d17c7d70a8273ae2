"""Whether the intervals that a mixture's marginals state hold the truth as often as they say."""

import math

import torch
from torch import Tensor

from pose_mdn.distributions.mixture import GaussianMixture


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
