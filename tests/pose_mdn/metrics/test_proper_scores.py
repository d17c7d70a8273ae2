import numpy as np
import scipy.special
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn import metrics
from pose_mdn.distributions import GaussianMixture
from pose_mdn.metrics.proper_scores import error_function


def _mixture(seed: int, rows: int, components: int, dimensions: int) -> GaussianMixture:
    rng = np.random.default_rng(seed)
    return GaussianMixture(
        log_mixing_coefficients=np.log(rng.dirichlet(np.ones(components), rows)),
        means=rng.normal(size=(rows, components, dimensions)),
        std=rng.uniform(0.2, 1.0, (rows, components, dimensions)),
    )


def test_crps_equals_its_definition_by_samples():
    mixture, target = _mixture(0, 4, 3, 2), np.random.default_rng(3).normal(size=(4, 2))
    one, other = (mixture.sample(200_000, np.random.default_rng(seed)) for seed in (1, 2))
    expected = np.abs(one - target).mean(0) - 0.5 * np.abs(one - other).mean(0)
    np.testing.assert_allclose(metrics.mixture_crps(mixture, target), expected, atol=5e-3)


def test_crps_of_one_gaussian_is_the_textbook_formula():
    mixture, target = _mixture(1, 50, 1, 3), np.random.default_rng(0).normal(size=(50, 3))
    std = mixture.std[:, 0]
    z = (target - mixture.means[:, 0]) / std
    normal = scipy.stats.norm
    expected = std * (z * (2 * normal.cdf(z) - 1) + 2 * normal.pdf(z) - 1 / np.sqrt(np.pi))
    np.testing.assert_allclose(metrics.mixture_crps(mixture, target), expected, atol=1e-6)


def test_numpy_and_torch_agree():
    mixture, target = _mixture(2, 6, 4, 5), np.random.default_rng(0).normal(size=(6, 5))
    tensors = GaussianMixture(
        log_mixing_coefficients=torch.from_numpy(mixture.log_mixing_coefficients),
        means=torch.from_numpy(mixture.means),
        std=torch.from_numpy(mixture.std),
    )
    expected = metrics.mixture_crps(tensors, torch.from_numpy(target)).numpy()
    np.testing.assert_allclose(metrics.mixture_crps(mixture, target), expected, atol=1e-6)


def test_stating_the_truth_scores_best():
    mixture = _mixture(3, 20_000, 2, 1)
    target = mixture.sample(1, np.random.default_rng(0))[0]

    def score(factor: float) -> float:
        scaled = GaussianMixture(
            log_mixing_coefficients=mixture.log_mixing_coefficients, means=mixture.means, std=factor * mixture.std
        )
        return float(metrics.mixture_crps(scaled, target).mean())

    assert score(1.0) < min(score(0.5), score(2.0))


def test_error_function_against_scipy():
    values = np.linspace(-6, 6, 4001)
    np.testing.assert_allclose(error_function(values), scipy.special.erf(values), atol=2e-7)


@given(st.integers(0, 2**32 - 1))
def test_rank_correlation_against_scipy_with_ties(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 9, (2, 40)) * 0.5
    np.testing.assert_allclose(metrics.rank_correlation(one, other), scipy.stats.spearmanr(one, other).statistic)


def test_rank_correlation_of_a_constant_is_undefined():
    assert np.isnan(metrics.rank_correlation(np.ones(5), np.arange(5.0)))
