import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.distributions import GaussianMixture
from pose_mdn.distributions.mixture import log_sum_exp

seeds = st.integers(0, 2**32 - 1)


def _mixture(seed: int, *, batch: int = 2, components: int = 4, dimensions: int = 3) -> GaussianMixture:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(batch, components))
    return GaussianMixture(
        log_mixing_coefficients=logits - log_sum_exp(logits)[:, None],
        means=rng.normal(size=(batch, components, dimensions)),
        std=rng.uniform(0.2, 1.5, (batch, components, dimensions)),
    )


def _torch_oracle(mixture: GaussianMixture) -> torch.distributions.Distribution:
    components = torch.distributions.Independent(
        torch.distributions.Normal(torch.from_numpy(mixture.means), torch.from_numpy(mixture.std)), 1
    )
    weights = torch.distributions.Categorical(logits=torch.from_numpy(mixture.log_mixing_coefficients))
    return torch.distributions.MixtureSameFamily(weights, components)


@given(seeds)
def test_density_integrates_to_one(seed):
    mixture = _mixture(seed, batch=1, dimensions=1)
    grid = np.linspace(-15, 15, 20_001)
    density = np.exp(mixture.log_prob(grid[:, None]))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-6)


@given(seeds)
def test_log_prob_and_moments_equal_torch_distributions(seed):
    mixture = _mixture(seed)
    oracle = _torch_oracle(mixture)
    value = np.random.default_rng(seed + 1).normal(size=(2, 3)) * 3
    np.testing.assert_allclose(mixture.log_prob(value), oracle.log_prob(torch.from_numpy(value)).numpy(), rtol=1e-10)
    np.testing.assert_allclose(mixture.mean, oracle.mean.numpy(), rtol=1e-10)
    np.testing.assert_allclose(mixture.variance, oracle.variance.numpy(), rtol=1e-9)


def test_samples_have_the_moments_and_the_seed_is_the_same_on_numpy_and_torch():
    mixture = _mixture(0)
    samples = mixture.sample(200_000, np.random.default_rng(1))
    np.testing.assert_allclose(samples.mean(0), mixture.mean, atol=0.02)
    np.testing.assert_allclose(samples.var(0), mixture.variance, rtol=0.02)
    twin = GaussianMixture(
        log_mixing_coefficients=torch.from_numpy(mixture.log_mixing_coefficients),
        means=torch.from_numpy(mixture.means),
        std=torch.from_numpy(mixture.std),
    )
    few = mixture.sample(10, np.random.default_rng(1))
    np.testing.assert_allclose(few, twin.sample(10, np.random.default_rng(1)).numpy(), rtol=1e-12)


@given(seeds)
def test_responsibilities_are_probabilities_that_follow_bayes(seed):
    mixture = _mixture(seed)
    value = np.random.default_rng(seed).normal(size=(2, 3))
    responsibilities = mixture.responsibilities(value)
    np.testing.assert_allclose(responsibilities.sum(-1), 1.0)
    joint = np.exp(mixture.log_mixing_coefficients + mixture.component_log_prob(value))
    np.testing.assert_allclose(responsibilities, joint / joint.sum(-1, keepdims=True))


def test_most_probable_mean_is_a_component_mean():
    mixture = _mixture(2)
    rows = np.arange(2)
    expected = mixture.means[rows, mixture.log_mixing_coefficients.argmax(-1)]
    np.testing.assert_array_equal(mixture.most_probable_mean, expected)
    np.testing.assert_array_equal(mixture.most_probable_component, mixture.log_mixing_coefficients.argmax(-1))


def test_far_points_and_dead_components_stay_finite():
    mixture = GaussianMixture(
        log_mixing_coefficients=np.log(np.array([[1.0, 1e-300]])),
        means=np.zeros((1, 2, 48)),
        std=np.full((1, 2, 1), 0.003),
    )
    value = np.full((1, 48), 5.0)
    assert np.isfinite(mixture.log_prob(value)).all()
    with np.errstate(divide="ignore"):
        dead = GaussianMixture(
            log_mixing_coefficients=np.log(np.array([[1.0, 0.0]])), means=np.zeros((1, 2, 2)), std=np.ones((1, 2, 2))
        )
    assert np.isfinite(dead.log_prob(np.zeros((1, 2)))).all()
    assert dead.responsibilities(np.zeros((1, 2)))[0, 1] == 0.0
