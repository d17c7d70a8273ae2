r"""The loss of Li and Lee (CVPR 2019), equation by equation in log space.

.. math:: L = -\log \sum_i \alpha_i(x)\, \phi_i(y | x) - \sum_i (\lambda_i - 1) \log \alpha_i(x)
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from pose_mdn.distributions.mixture import GaussianMixture


def mixture_nll(mixture: GaussianMixture, target: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Negative log-likelihood per sample, in nats.

    Args:
        mixture: B mixtures over D coordinates.
        target: (B, D) points.
        temperature: T >= 1. Component log-densities are divided by T inside the sum and the result multiplied by T
            (deterministic annealing): at first several components share each pose, so that none dies before it has
            found poses of its own, while their gradients keep their size. 1 is the plain likelihood.

    Returns:
        (B,) values.
    """
    scores = mixture.log_mixing_coefficients + mixture.component_log_prob(target) / temperature
    return -temperature * torch.logsumexp(scores, dim=-1)


def dirichlet_penalty(log_mixing_coefficients: Tensor, concentration: Sequence[float]) -> Tensor:
    """Negative log-density of the Dirichlet prior, up to its constant.

    Args:
        log_mixing_coefficients: (B, M).
        concentration: M values of lambda > 0.

    Returns:
        (B,) values of -sum_i (lambda_i - 1) log alpha_i.
    """
    excess = log_mixing_coefficients.new_tensor([value - 1.0 for value in concentration])
    return -(excess * log_mixing_coefficients).sum(dim=-1)
