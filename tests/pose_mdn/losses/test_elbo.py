import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm
from torch.distributions import Normal, kl_divergence

from pose_mdn.losses.elbo import (
    binomial_log_prob,
    estimate_evidence,
    gaussian_kl,
    gaussian_log_prob,
    negative_elbo,
    reparameterize,
    standard_normal_log_prob,
)

seeds = st.integers(0, 2**32 - 1)


def _gaussian(seed: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=shape)), torch.from_numpy(rng.normal(size=shape))


@given(seeds)
@settings(deadline=None)  # the first call into torch is slow
def test_kl_equals_torch_distributions_and_is_zero_only_between_equals(seed):
    mean, log_variance = _gaussian(seed, 3, 4)
    prior_mean, prior_log_variance = _gaussian(seed + 1, 3, 4)
    q = Normal(mean, (0.5 * log_variance).exp())
    general = gaussian_kl(mean, log_variance, prior_mean, prior_log_variance)
    expected = kl_divergence(q, Normal(prior_mean, (0.5 * prior_log_variance).exp()))
    torch.testing.assert_close(general, expected)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), kl_divergence(q, Normal(0.0, 1.0)))
    assert (general > 0).all()
    torch.testing.assert_close(gaussian_kl(mean, log_variance, mean, log_variance), torch.zeros_like(mean))


def test_reparameterised_samples_have_the_moments_and_carry_gradients():
    mean = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    log_variance = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((200_000, 2)))
    samples = reparameterize(mean, log_variance, noise)
    torch.testing.assert_close(samples.mean(0), mean, atol=0.01, rtol=0)
    torch.testing.assert_close(samples.var(0), log_variance.exp(), atol=0.01, rtol=0)
    # d E[z^2] / d mu = 2 mu and d E[z^2] / d log sigma^2 = sigma^2, whatever the way to them.
    samples.square().mean(0).sum().backward()
    torch.testing.assert_close(mean.grad, 2.0 * mean.detach(), atol=0.02, rtol=0)
    torch.testing.assert_close(log_variance.grad, log_variance.detach().exp(), atol=0.02, rtol=0)


@given(seeds)
@settings(deadline=None)  # the first call into torch is slow
def test_log_probabilities_equal_scipy(seed):
    mean, log_variance = _gaussian(seed, 2, 3)
    value, logits = _gaussian(seed + 1, 2, 3)
    expected = norm.logpdf(value.numpy(), mean.numpy(), np.exp(0.5 * log_variance.numpy())).sum(-1)
    np.testing.assert_allclose(gaussian_log_prob(value, mean, log_variance), expected)
    np.testing.assert_allclose(standard_normal_log_prob(value), norm.logpdf(value.numpy()).sum(-1))
    for trials in (1, 16):
        counts = np.random.default_rng(seed).integers(0, trials + 1, (2, 3))
        expected = binom.logpmf(counts, trials, torch.sigmoid(logits).numpy()).sum(-1)
        got = binomial_log_prob(logits, torch.from_numpy(counts).double(), trials=trials)
        np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_extreme_logits_stay_finite():
    logits = torch.tensor([[200.0, -200.0]])
    assert binomial_log_prob(logits, torch.tensor([[1.0, 0.0]])).item() == 0.0
    assert binomial_log_prob(logits, torch.tensor([[0.0, 0.0]])).item() == -200.0


def _linear_model(samples: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """x = z + noise of variance 0.25 at x = 1.5: weights under the posterior, widened, and the prior; log p(x)."""
    x, noise_log_variance = torch.tensor([1.5]), torch.tensor([math.log(0.25)])
    noise = torch.from_numpy(np.random.default_rng(seed).standard_normal((samples, 1))).float()
    mean, log_variance = torch.tensor([1.2]), torch.tensor([math.log(0.3)])
    latent = reparameterize(mean, log_variance, noise)
    proposal = gaussian_log_prob(latent, mean, log_variance)
    encoder = gaussian_log_prob(x, latent, noise_log_variance) + standard_normal_log_prob(latent) - proposal
    return encoder, gaussian_log_prob(x, noise, noise_log_variance), float(norm.logpdf(1.5, 0, math.sqrt(1.25)))


def test_the_evidence_of_a_linear_model_is_found_within_its_stated_error():
    errors = []
    for seed in range(40):
        encoder, prior, truth = _linear_model(400, seed)
        for weights in (encoder, prior):
            estimate = estimate_evidence(weights)
            errors.append((estimate.log_evidence - truth).item() / estimate.standard_error.item())
    assert 0.7 < float(np.std(errors)) < 1.3
    assert abs(float(np.mean(errors))) < 0.4


def test_more_samples_tighten_the_bound_and_one_sample_is_the_elbo():
    encoder, _, truth = _linear_model(60_000, 0)
    means = [estimate_evidence(encoder[: 60_000 // k * k].reshape(k, -1)).log_evidence.mean() for k in (1, 5, 50)]
    assert means[0] < means[1] < means[2] < truth + 0.005
    assert means[2] == pytest.approx(truth, abs=0.005)
    latent_kl = gaussian_kl(torch.tensor([1.2]), torch.tensor([math.log(0.3)]))
    squared = (1.5 - 1.2) ** 2 + 0.3
    reconstruction = torch.tensor(-0.5 * (squared / 0.25 + math.log(0.25) + math.log(2 * math.pi)))
    assert means[0] == pytest.approx(-negative_elbo(reconstruction, latent_kl).item(), abs=0.01)


def test_equal_weights_are_all_effective_and_a_single_giant_is_alone():
    equal = estimate_evidence(torch.full((8, 2), -1000.0))
    torch.testing.assert_close(equal.effective_samples, torch.full((2,), 8.0))
    torch.testing.assert_close(equal.log_evidence, torch.full((2,), -1000.0))
    torch.testing.assert_close(equal.standard_error, torch.zeros(2))
    alone = estimate_evidence(torch.tensor([0.0, -500.0, -500.0, -500.0]))
    assert alone.effective_samples.item() == pytest.approx(1.0)


def test_beta_weighs_only_the_divergence():
    kl, reconstruction = torch.tensor([[1.0, 2.0]]), torch.tensor([-5.0])
    assert negative_elbo(reconstruction, kl, beta=0.5).item() == pytest.approx(6.5)
    assert negative_elbo(reconstruction, kl).item() == pytest.approx(8.0)
