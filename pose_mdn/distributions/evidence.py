r"""Estimates of log p(x) by importance sampling, written once for numpy and torch.

.. math:: \log \frac{1}{K} \sum_k w_k \qquad w_k = p(x | z_k)\, p(z_k) / q(z_k | x), \quad z_k \sim q(z | x)

In expectation this is a lower bound on log p(x) that is nowhere looser than the evidence lower bound, which it is for
K = 1, and tends to log p(x) (Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016). With the
prior for q the weights are p(x | z_k): the naive estimate.
"""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.distributions.mixture import log_sum_exp


@dataclass(frozen=True, kw_only=True)
class EvidenceEstimate:
    """What K weighted samples say of log p(x), for each of any number of observations.

    Attributes:
        log_evidence: (...) nats.
        standard_error: (...) nats, to first order in the spread of the weights; never above 1, where a single sample
            carries all, and NaN for one sample. With few effective samples it is too small, as no spread can be seen
            among weights that were never drawn.
        effective_samples: (...) Kish's (sum w)^2 / sum w^2, between 1 and K.
    """

    log_evidence: Array
    standard_error: Array
    effective_samples: Array


def estimate_evidence(log_weights: Array) -> EvidenceEstimate:
    """The K-sample importance-weighted bound, with what is known of its error.

    Args:
        log_weights: (K, ...) log p(x | z_k) + log p(z_k) - log q(z_k | x); log p(x | z_k) if z_k is of the prior.

    Returns:
        Estimates of shape (...).
    """
    xp = array_namespace(log_weights)
    count = log_weights.shape[0]
    log_evidence = log_sum_exp(log_weights, axis=0) - math.log(count)
    relative = xp.exp(log_weights - log_evidence)
    offset = relative - xp.mean(relative, axis=0)
    variance = xp.sum(offset * offset, axis=0) / (count - 1) if count > 1 else xp.nan * log_evidence
    return EvidenceEstimate(
        log_evidence=log_evidence,
        standard_error=xp.sqrt(variance / count),
        effective_samples=count**2 / xp.sum(relative * relative, axis=0),
    )
