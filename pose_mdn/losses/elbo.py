r"""The evidence lower bound of variational autoencoders, term by term, in nats.

With a prior p(z), a decoder p(x | z) and an encoder q(z | x), all given a condition if there is one,

.. math::
    \log p(x) \ge \underbrace{E_q \log p(x | z)}_{\text{reconstruction}} - KL(q(z | x) \,\|\, p(z))
    \qquad z = \mu + \sigma \epsilon, \quad \epsilon \sim N(0, 1)

Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014. K samples give a bound that is nowhere looser and
tends to log p(x) (Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016):

.. math:: \log \frac{1}{K} \sum_k w_k \qquad w_k = p(x | z_k)\, p(z_k) / q(z_k | x), \quad z_k \sim q(z | x)

With q replaced by the prior the weights are p(x | z_k): the naive estimate, whose error this module also states.
Gaussians have diagonal covariances, given as log-variances. Each function takes sums over the last axis.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_LOG_TWO_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, kw_only=True)
class EvidenceEstimate:
    """An estimate of log p(x) from K weighted samples, for each of B observations.

    Attributes:
        log_evidence: (...) nats; a lower bound in expectation.
        standard_error: (...) nats, to first order in the spread of the weights; NaN for a single sample. With few
            effective samples it is too small, as no spread can be seen among weights that were never drawn.
        effective_samples: (...) Kish's (sum w)^2 / sum w^2, between 1 and K.
    """

    log_evidence: Tensor
    standard_error: Tensor
    effective_samples: Tensor


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


def gaussian_kl(
    mean: Tensor,
    log_variance: Tensor,
    prior_mean: Tensor | None = None,
    prior_log_variance: Tensor | None = None,
) -> Tensor:
    r"""Kullback-Leibler divergence of each coordinate, from q = N(mean, variance) to a prior, in closed form.

    .. math:: \tfrac12 \left(\frac{\sigma^2 + (\mu - m)^2}{s^2} - 1 - \log \frac{\sigma^2}{s^2}\right)

    Args:
        mean: (..., Z).
        log_variance: (..., Z).
        prior_mean: (..., Z) m; zero if absent.
        prior_log_variance: (..., Z) logarithm of s squared; zero if absent.

    Returns:
        (..., Z) nats; sum them over the last axis for the divergence, or average them over data to see which latent
        coordinates are in use.
    """
    distance = mean if prior_mean is None else mean - prior_mean
    ratio = log_variance if prior_log_variance is None else log_variance - prior_log_variance
    scale = 1.0 if prior_log_variance is None else (-prior_log_variance).exp()
    return 0.5 * (ratio.exp() + distance.square() * scale - 1.0 - ratio)


def gaussian_log_prob(value: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """(...) log-density of diagonal Gaussians; arguments are (..., D) and are broadcast."""
    squared = (value - mean).square() * (-log_variance).exp()
    return -0.5 * (squared + log_variance + _LOG_TWO_PI).sum(dim=-1)


def standard_normal_log_prob(value: Tensor) -> Tensor:
    """(...) log-density of N(0, 1) at (..., Z) latents."""
    return -0.5 * (value.square() + _LOG_TWO_PI).sum(dim=-1)


def binomial_log_prob(logits: Tensor, counts: Tensor, *, trials: int = 1) -> Tensor:
    """Log-probability of counts of successes; with one trial this is the Bernoulli (cross-entropy) reconstruction term.

    Args:
        logits: (..., D) log-odds of a success.
        counts: (..., D) from 0 to `trials`; leading axes may be broadcast. For shares of ink in [0, 1] and one trial
        the
            result is the usual cross-entropy, no longer the logarithm of a probability.
        trials: n, of each coordinate.

    Returns:
        (...) nats.
    """
    cross_entropy = (trials * functional.softplus(logits) - counts * logits).sum(dim=-1)
    if trials == 1:
        return -cross_entropy
    ways = math.lgamma(trials + 1) - torch.lgamma(counts + 1.0) - torch.lgamma(trials - counts + 1.0)
    return ways.sum(dim=-1) - cross_entropy


def negative_elbo(reconstruction: Tensor, kl: Tensor, *, beta: float = 1.0) -> Tensor:
    """What a variational autoencoder minimises.

    Args:
        reconstruction: (...) log p(x | z) at one reparameterised sample.
        kl: (..., Z) divergence of each latent coordinate, as of `gaussian_kl`.
        beta: Weight of the divergence. Only with 1 is the result a bound on -log p(x); above 1 favours fewer, more
            independent coordinates (Higgins et al., "beta-VAE", ICLR 2017), below 1 favours reconstruction.

    Returns:
        (...) nats.
    """
    return beta * kl.sum(dim=-1) - reconstruction


def estimate_evidence(log_weights: Tensor) -> EvidenceEstimate:
    """The K-sample importance-weighted bound, with what is known of its error.

    Args:
        log_weights: (K, ...) log p(x | z_k) + log p(z_k) - log q(z_k | x); log p(x | z_k) if z_k is of the prior.

    Returns:
        Estimates of shape (...).
    """
    count = len(log_weights)
    log_evidence = torch.logsumexp(log_weights, dim=0) - math.log(count)
    relative = (log_weights - log_evidence).exp()
    variance = (relative - relative.mean(dim=0)).square().sum(dim=0) / (count - 1)
    return EvidenceEstimate(
        log_evidence=log_evidence,
        standard_error=(variance / count).sqrt(),
        effective_samples=count**2 / relative.square().sum(dim=0).clamp(min=torch.finfo(relative.dtype).tiny),
    )
