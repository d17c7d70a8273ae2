r"""Normal distributions with diagonal covariance, in closed form.

.. math:: \log N(x; \mu, \sigma^2) = -\tfrac12 \sum_d \Big(\frac{(x_d - \mu_d)^2}{\sigma_d^2}
    + \log \sigma_d^2 + \log 2 \pi\Big)
.. math:: KL(N(\mu, \sigma^2) \,\|\, N(0, 1)) = \tfrac12 \sum_d (\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2)

(Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B.)
"""

import math

from array_api_compat import array_namespace

from pose_mdn.array_types import Array

_LOG_2_PI = math.log(2.0 * math.pi)


def log_density(x: Array, mean: Array, log_variance: Array) -> Array:
    """(...) log-densities, in nats, of (..., D) points; shapes broadcast."""
    xp = array_namespace(x, mean, log_variance)
    terms = (x - mean) ** 2 * xp.exp(-log_variance) + log_variance + _LOG_2_PI
    return -0.5 * xp.sum(terms, axis=-1)


def kl_from_standard_normal(mean: Array, log_variance: Array) -> Array:
    """(..., D) divergences of each coordinate's distribution from the standard normal one, in nats."""
    xp = array_namespace(mean, log_variance)
    return 0.5 * (mean * mean + xp.exp(log_variance) - 1.0 - log_variance)
