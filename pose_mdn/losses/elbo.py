r"""The negative evidence lower bound.

.. math:: L = -E_{q(z | x)} \log p(x | z) + \beta\, KL(q(z | x) \,\|\, p(z))

with the expectation taken at one reparameterised sample (Kingma and Welling 2014; beta of Higgins et al. 2017).
"""

from torch import Tensor

from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal

ACTIVE_VARIANCE = 0.01
"""A latent unit is active if the variance over data of its posterior mean is above this (Burda et al. 2016)."""


def negative_elbo(log_likelihood: Tensor, mean: Tensor, log_variance: Tensor, *, beta: float) -> Tensor:
    """(B,) losses, nats, of (B,) log-likelihoods at a sample and (B, Z) posteriors."""
    return beta * kl_from_standard_normal(mean, log_variance).sum(-1) - log_likelihood


def active_units(mean: Tensor) -> int:
    """How many of Z latent units tell data apart, by (B, Z) posterior means."""
    return int((mean.var(dim=0) > ACTIVE_VARIANCE).sum())
