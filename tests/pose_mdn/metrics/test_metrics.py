import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn import metrics
from pose_mdn.skeletons import HUMAN36M17

seeds = st.integers(0, 2**32 - 1)


def _poses(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pose, target = rng.normal(size=(2, 5, 17, 3))
    return pose - pose[:, :1], target - target[:, :1]


@given(seeds, st.floats(0.1, 10.0))
def test_pa_mpjpe_ignores_similarity_and_n_mpjpe_ignores_scale(seed, scale):
    pose, target = _poses(seed)
    rotation = Rotation.random(rng=seed).as_matrix()
    moved = scale * pose @ rotation.T + np.array([0.3, -1.0, 5.0])
    np.testing.assert_allclose(metrics.pa_mpjpe_mm(moved, target), metrics.pa_mpjpe_mm(pose, target), rtol=1e-6)
    np.testing.assert_allclose(metrics.n_mpjpe_mm(scale * pose, target), metrics.n_mpjpe_mm(pose, target), rtol=1e-9)
    assert metrics.mpjpe_mm(pose, pose).max() == 0.0


def test_mpjpe_is_in_millimetres():
    pose = np.zeros((1, 17, 3))
    np.testing.assert_allclose(metrics.mpjpe_mm(pose + np.array([0.0, 0.03, 0.04]), pose), [50.0])


@given(seeds)
def test_best_of_m_falls_with_m_and_is_at_most_top_1(seed):
    rng = np.random.default_rng(seed)
    errors, weights = rng.random((7, 6)), rng.dirichlet(np.ones(6), 7)
    curve = [metrics.best_of_m(errors[:, :m]).mean() for m in range(1, 7)]
    assert all(after <= before for before, after in itertools.pairwise(curve))
    assert (metrics.best_of_m(errors) <= metrics.top_1(errors, weights)).all()
    np.testing.assert_array_equal(metrics.top_1(errors, weights), errors[np.arange(7), weights.argmax(1)])
    assert metrics.win_rates(errors).sum() == pytest.approx(1.0)


def test_effective_hypotheses_counts():
    weights = np.array([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(metrics.effective_hypotheses(weights), [1.0, 4.0, 2.0], rtol=1e-6)


@given(seeds)
def test_symmetry_error_vanishes_on_symmetric_bodies_and_is_flip_invariant(seed):
    pose, _ = _poses(seed)
    flipped = pose[:, list(HUMAN36M17.flip_indices)] * np.array([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(metrics.mpsse_mm(pose), metrics.mpsse_mm(flipped), rtol=1e-9)
    np.testing.assert_allclose(metrics.mpsse_mm(0.5 * (pose + flipped)), 0.0, atol=1e-9)


def test_calibrated_samples_have_no_calibration_error_and_narrow_ones_do():
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(4000, 2, 3))
    target = centre + rng.normal(size=centre.shape)
    samples = centre + rng.normal(size=(200, *centre.shape))
    good = metrics.coverage_curve(samples, target)
    assert metrics.expected_calibration_error(good) < 0.01
    assert metrics.coverage_at(good, 0.68) == pytest.approx(0.68, abs=0.02)
    narrow = metrics.coverage_curve(centre + 0.5 * (samples - centre), target)
    assert metrics.expected_calibration_error(narrow) > 0.1
    assert metrics.coverage_at(narrow, 0.68) < 0.5


def test_coverage_is_the_share_below_the_quantile_of_distances():
    rng = np.random.default_rng(0)
    samples, target = rng.normal(size=(50, 300, 4, 3)), 1.3 * rng.normal(size=(300, 4, 3))
    median = np.median(samples, axis=0)
    spread = np.quantile(np.abs(samples - median), metrics.QUANTILES, axis=0)
    expected = np.mean(np.abs(target - median) < spread, axis=1)
    np.testing.assert_allclose(metrics.coverage_curve(samples, target), expected)


def test_bias_is_signed():
    rng = np.random.default_rng(0)
    target, samples = rng.normal(size=(4000, 2, 3)), rng.normal(size=(100, 4000, 2, 3))
    narrow, exact, wide = (metrics.calibration_bias(metrics.coverage_curve(f * samples, target)) for f in (0.5, 1, 2))
    assert narrow < -0.1 < exact < 0.1 < wide
    assert exact == pytest.approx(0.0, abs=0.01)
