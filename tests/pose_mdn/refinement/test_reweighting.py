from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pose_mdn.refinement import RefinementSettings, refine_hypotheses
from pose_mdn.refinement.posterior import posterior_of
from pose_mdn.refinement.reweighting import reweight
from pose_mdn.refinement.settings import fitted_numbers

FITTED = fitted_numbers()
EVIDENCE = arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6))
MIXING = arrays(np.float64, (4, 5), elements=st.floats(1e-6, 1.0)).map(lambda x: x / x.sum(axis=1, keepdims=True))


@given(MIXING, EVIDENCE)
def test_coefficients_sum_to_one_and_follow_the_evidence(mixing: np.ndarray, evidence: np.ndarray) -> None:
    weights = reweight(mixing, evidence, FITTED)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
    assert (weights >= 0).all()
    better = evidence.copy()
    better[:, 2] += 10.0
    assert (reweight(mixing, better, FITTED)[:, 2] >= weights[:, 2]).all()


@given(EVIDENCE)
def test_a_constant_of_the_row_says_nothing(evidence: np.ndarray) -> None:
    mixing = np.full((4, 5), 0.2)
    np.testing.assert_allclose(reweight(mixing, evidence + 7.0, FITTED), reweight(mixing, evidence, FITTED), atol=1e-6)


def test_full_belief_in_both_is_bayes() -> None:
    fitted = replace(FITTED, mixing_exponent=1.0, evidence_exponent=1.0)
    mixing, likelihood = np.array([[0.5, 0.3, 0.2]]), np.array([[0.1, 0.4, 0.05]])
    expected = mixing * likelihood / (mixing * likelihood).sum()
    np.testing.assert_allclose(reweight(mixing, np.log(likelihood), fitted), expected)


def test_zero_stays_zero_and_what_is_no_number_changes_nothing() -> None:
    mixing = np.array([[0.6, 0.4, 0.0], [0.5, 0.3, 0.2]])
    weights = reweight(mixing, np.array([[1.0, 5.0, 90.0], [1.0, np.nan, 2.0]]), FITTED)
    assert weights[0, 2] == 0.0
    np.testing.assert_allclose(weights[0].sum(), 1.0)
    np.testing.assert_array_equal(weights[1], mixing[1])


def test_equal_hypotheses_keep_equal_weights(lifted) -> None:
    hypotheses = lifted(noise_px=4.0)
    names = ("means_m", "std_m", "root_translation_m")
    twins = replace(
        hypotheses,
        mixing_coefficients=np.full((len(hypotheses), 3), 1 / 3, np.float32),
        **{name: np.repeat(getattr(hypotheses, name)[:, :1], 3, axis=1) for name in names},
    )
    np.testing.assert_allclose(refine_hypotheses(twins).mixing_coefficients, 1 / 3, atol=1e-6)


def test_the_evidence_prefers_the_hypothesis_that_made_the_picture(lifted) -> None:
    hypotheses = lifted(rows=40, spread=1.5)
    means, root = hypotheses.means_m.copy(), hypotheses.root_translation_m.copy()
    truth = lifted(rows=40, spread=0.0)
    means[:, 1], root[:, 1] = truth.means_m[:, 1], truth.root_translation_m[:, 1]
    std = np.repeat(hypotheses.std_m[:, :1], 3, axis=1)
    known = replace(hypotheses, means_m=means, root_translation_m=root, std_m=std)
    evidence = posterior_of(known, RefinementSettings(noise=0.005)).log_evidence
    assert (evidence.argmax(axis=1) == 1).mean() > 0.95


def test_the_evidence_is_the_integral_that_laplace_approximates(lifted) -> None:
    """Of two hypotheses with the same mean, far wider than the noise, the wider one explains the same picture worse."""
    hypotheses = lifted(rows=10, spread=0.0)
    std = np.repeat(hypotheses.std_m[:, :1], 3, axis=1) * np.array([0.5, 1.0, 2.0], np.float32)[:, None, None]
    evidence = posterior_of(replace(hypotheses, std_m=std), RefinementSettings(noise=0.001)).log_evidence
    assert (np.diff(evidence, axis=1) < 0).all()
