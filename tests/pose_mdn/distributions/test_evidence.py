import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal, log_density
from pose_mdn.distributions.evidence import estimate_evidence

MEAN, LOG_VARIANCE = np.array([1.2]), np.array([math.log(0.3)])
TRUTH = float(norm.logpdf(1.5, 0, math.sqrt(1.25)))


def _linear_model(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """x = z + noise of variance 0.25, seen at 1.5: weights of samples of a wider posterior, and of the prior."""
    x, zero = np.array([1.5]), np.zeros(1)
    noise = np.random.default_rng(seed).standard_normal((samples, 1))
    latent = MEAN + np.exp(0.5 * LOG_VARIANCE) * noise
    likelihood = log_density(x, latent, np.log([0.25]))
    encoder = likelihood + log_density(latent, zero, zero) - log_density(latent, MEAN, LOG_VARIANCE)
    return encoder, log_density(x, noise, np.log([0.25]))


def test_the_evidence_of_a_linear_model_is_found_within_its_stated_error():
    errors = []
    for seed in range(40):
        for weights in _linear_model(400, seed):
            estimate = estimate_evidence(weights)
            errors.append((estimate.log_evidence - TRUTH) / estimate.standard_error)
    assert 0.7 < np.std(errors) < 1.3
    assert abs(np.mean(errors)) < 0.4


def test_more_samples_tighten_the_bound_and_one_sample_is_the_elbo():
    encoder, _ = _linear_model(60_000, 0)
    means = [estimate_evidence(encoder.reshape(k, -1)).log_evidence.mean() for k in (1, 5, 50)]
    assert means[0] < means[1] < means[2] < TRUTH + 0.005
    assert means[2] == pytest.approx(TRUTH, abs=0.005)
    squared = (1.5 - MEAN) ** 2 + np.exp(LOG_VARIANCE)
    reconstruction = -0.5 * (squared / 0.25 + math.log(0.25) + math.log(2 * math.pi))
    elbo = reconstruction - kl_from_standard_normal(MEAN, LOG_VARIANCE)
    assert means[0] == pytest.approx(elbo.item(), abs=0.01)


def test_equal_weights_are_all_effective_and_a_single_giant_is_alone():
    equal = estimate_evidence(np.full((8, 2), -1000.0))
    np.testing.assert_allclose(equal.effective_samples, 8.0)
    np.testing.assert_allclose(equal.log_evidence, -1000.0)
    np.testing.assert_allclose(equal.standard_error, 0.0, atol=1e-12)
    alone = estimate_evidence(np.array([0.0, -500.0, -500.0, -500.0]))
    assert alone.effective_samples == pytest.approx(1.0)
    assert alone.standard_error == pytest.approx(1.0)
    assert np.isnan(estimate_evidence(np.array([-3.0])).standard_error)


def test_numpy_and_torch_agree():
    weights = np.random.default_rng(0).normal(size=(20, 3)) * 4
    here, there = estimate_evidence(weights), estimate_evidence(torch.from_numpy(weights))
    for name in ("log_evidence", "standard_error", "effective_samples"):
        np.testing.assert_allclose(getattr(here, name), getattr(there, name).numpy(), rtol=1e-10)
    assert estimate_evidence(torch.zeros(1)).standard_error.isnan()
