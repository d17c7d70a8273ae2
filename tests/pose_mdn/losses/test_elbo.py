import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from pose_mdn.losses.elbo import active_units, binomial_log_likelihood, negative_elbo, reparameterize


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


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 16]))
@settings(deadline=None)  # the first call into torch is slow
def test_counts_have_the_probability_that_scipy_gives_them(seed, trials):
    rng = np.random.default_rng(seed)
    logits, counts = torch.from_numpy(rng.normal(size=(2, 3))), rng.integers(0, trials + 1, (2, 3))
    expected = binom.logpmf(counts, trials, torch.sigmoid(logits).numpy()).sum(-1)
    got = binomial_log_likelihood(logits, torch.from_numpy(counts).double(), trials=trials)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    one_picture = binomial_log_likelihood(logits, torch.from_numpy(counts[0]).double(), trials=trials)
    torch.testing.assert_close(one_picture[0], got[0])


def test_extreme_logits_stay_finite():
    logits = torch.tensor([[200.0, -200.0]])
    assert binomial_log_likelihood(logits, torch.tensor([[1.0, 0.0]])).item() == 0.0
    assert binomial_log_likelihood(logits, torch.tensor([[0.0, 0.0]])).item() == -200.0


def test_beta_weighs_only_the_divergence():
    mean, log_variance = torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2)  # a divergence of 2 nats
    log_likelihood = torch.tensor([-5.0])
    for beta, loss in ((1.0, 7.0), (0.5, 6.0), (4.0, 13.0)):
        assert negative_elbo(log_likelihood, mean, log_variance, beta=beta).item() == pytest.approx(loss)


def test_units_are_active_whose_means_differ_between_data():
    means = torch.tensor([[0.0, 1.0, 5.0], [0.05, -1.0, 5.0]])
    assert active_units(means) == 1
