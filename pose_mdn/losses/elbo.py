r"""The negative evidence lower bound of variational autoencoders, term by term, in nats.

.. math:: L = -E_{q(z | x)} \log p(x | z) + \beta\, KL(q(z | x) \,\|\, p(z)), \qquad z = \mu + \sigma \epsilon

with the expectation taken at one reparameterised sample (Kingma and Welling 2014; beta of Higgins et al. 2017). All may
be given a condition. Log-densities and divergences of normal distributions are in
`pose_mdn.distributions.diagonal_normal`, the bound of many samples in `pose_mdn.distributions.evidence`.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal

ACTIVE_VARIANCE = 0.01
"""A latent unit is active if the variance over data of its posterior mean is above this (Burda et al. 2016)."""


def reparameterize(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Samples of N(mean, variance) as a differentiable function of its parameters.

    Args:
        mean: (..., Z).
        log_variance: (..., Z).
        noise: (..., Z) standard normal; leading axes may be broadcast, as in (K, B, Z) for K samples each.

    Returns:
        mean + exp(log_variance / 2) * noise.
    """
    return mean + (0.5 * log_variance).exp() * noise


def binomial_log_likelihood(logits: Tensor, counts: Tensor, *, trials: int = 1) -> Tensor:
    """Log-probability of counts of successes; with one trial this is the Bernoulli (cross-entropy) reconstruction term.

    Args:
        logits: (..., D) log-odds of a success.
        counts: (..., D) from 0 to `trials`; leading axes may be broadcast. For shares of ink in [0, 1] and one trial
            the result is the usual cross-entropy, no longer the logarithm of a probability.
        trials: n, of each coordinate.

    Returns:
        (...) nats.
    """
    cross_entropy = (trials * functional.softplus(logits) - counts * logits).sum(dim=-1)
    if trials == 1:
        return -cross_entropy
    ways = math.lgamma(trials + 1) - torch.lgamma(counts + 1.0) - torch.lgamma(trials - counts + 1.0)
    return ways.sum(dim=-1) - cross_entropy


def negative_elbo(log_likelihood: Tensor, mean: Tensor, log_variance: Tensor, *, beta: float) -> Tensor:
    """(B,) losses, nats, of (B,) log-likelihoods at a sample and (B, Z) posteriors.

    Only with beta = 1 are they bounds on -log p(x); above 1 favours latents like the prior's, below 1 reconstruction.
    """
    return beta * kl_from_standard_normal(mean, log_variance).sum(-1) - log_likelihood


def active_units(mean: Tensor) -> int:
    """How many of Z latent units tell data apart, by (B, Z) posterior means."""
    return int((mean.var(dim=0) > ACTIVE_VARIANCE).sum())
