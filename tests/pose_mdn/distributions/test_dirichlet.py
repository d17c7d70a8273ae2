import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.distributions.dirichlet import (
    debias_mixing_coefficients,
    explain_concentration,
    resolve_concentration,
)
from pose_mdn.errors import ConfigError
from pose_mdn.losses.mixture_nll import dirichlet_penalty


def _with_prior(responsibilities: np.ndarray, concentration: tuple[float, ...]) -> np.ndarray:
    """Where a softmax network ends up under the prior: the stationary point of its loss."""
    excess = np.array(concentration) - 1.0
    return (responsibilities + excess) / (1.0 + excess.sum())


@given(st.integers(0, 2**32 - 1), st.lists(st.floats(1.0, 5.0), min_size=5, max_size=5))
def test_debiasing_recovers_what_the_data_said(seed, concentration):
    truth = np.random.default_rng(seed).dirichlet(np.ones(5), size=3)
    recovered = debias_mixing_coefficients(_with_prior(truth, tuple(concentration)), concentration)
    np.testing.assert_allclose(recovered, truth, atol=1e-9)


def test_stationary_point_of_the_loss_is_the_biased_one():
    concentration, truth = (2.0, 1.5, 1.0), torch.tensor([0.85, 0.1, 0.05], dtype=torch.float64)
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(600):
        log_alpha = torch.log_softmax(logits, dim=-1)
        loss = -(truth * log_alpha).sum() + dirichlet_penalty(log_alpha, concentration).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    alpha = torch.softmax(logits, dim=-1).detach().numpy()[0]
    np.testing.assert_allclose(alpha, _with_prior(truth.numpy(), concentration), atol=1e-4)
    np.testing.assert_allclose(debias_mixing_coefficients(alpha, concentration), truth.numpy(), atol=1e-3)


def test_concentration_two_squeezes_five_coefficients_into_a_sixth_to_a_third():
    certain = _with_prior(np.eye(5)[0], (2.0,) * 5)
    assert certain.max() == pytest.approx(1 / 3)
    assert certain.min() == pytest.approx(1 / 6)


def test_settings_are_spread_and_checked():
    assert resolve_concentration(1.05, 3) == (1.05, 1.05, 1.05)
    assert resolve_concentration((2.0, 1.0), 2) == (2.0, 1.0)
    with pytest.raises(ConfigError, match=r"one number, or 3 .* got 2; .* write 1\.0"):
        resolve_concentration((1.0, 2.0), 3)
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="between 0 and 1 favours few"):
            resolve_concentration(bad, 2)


def test_a_prior_that_outweighs_the_data_cannot_be_undone():
    with pytest.raises(ConfigError, match="outweigh the data"):
        debias_mixing_coefficients(np.full(5, 0.2), (0.5,) * 5)


def test_each_kind_of_value_is_explained():
    assert explain_concentration((1.0, 1.0)) == "1 puts no prior on a coefficient"
    assert "keeps hypotheses alive" in explain_concentration((1.0, 2.0))
    assert "favours few" in explain_concentration((0.9, 2.0))
    assert "favours few" not in explain_concentration((2.0,))
