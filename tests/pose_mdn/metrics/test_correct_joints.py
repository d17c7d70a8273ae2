import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn import metrics
from pose_mdn.skeletons import HUMAN36M17

seeds = st.integers(0, 2**32 - 1)


def _errors(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, 60.0, (6, 17))


def test_fourteen_joints_count():
    names = [HUMAN36M17.joint_names[index] for index in metrics.PCK_JOINTS]
    assert len(names) == 14
    assert not {"pelvis", "spine", "neck_nose"} & set(names)


@given(seeds)
def test_pck_is_a_share_that_grows_with_the_threshold_and_auc_is_its_mean(seed):
    errors = _errors(seed)
    curve = np.stack([metrics.pck(errors, threshold) for threshold in np.arange(0, 151, 5)])
    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve, axis=0) >= 0).all()
    np.testing.assert_allclose(metrics.auc(errors), curve.mean(axis=0))
    # The joints that do not count do not count.
    errors[:, [HUMAN36M17.index(name) for name in ("pelvis", "spine", "neck_nose")]] = 1e9
    np.testing.assert_allclose(metrics.auc(errors), curve.mean(axis=0))


def test_perfect_and_hopeless_poses():
    perfect, hopeless = np.zeros((1, 17)), np.full((1, 17), 1000.0)
    assert metrics.pck(perfect) == 1.0
    # At the threshold of 0 nothing is below.
    assert metrics.auc(perfect) == pytest.approx(30 / 31)
    assert metrics.correct_poses_score(perfect) == 300.0
    assert metrics.pck(hopeless) == metrics.auc(hopeless) == metrics.correct_poses_score(hopeless) == 0.0


@given(seeds)
def test_correct_poses_score_counts_thresholds_at_which_all_joints_are_right(seed):
    errors = _errors(seed)
    joints = [index for index, name in enumerate(HUMAN36M17.joint_names) if name != "spine"]
    counted = sum((errors[:, joints] < threshold).all(axis=1).astype(float) for threshold in range(1, 301))
    np.testing.assert_array_equal(metrics.correct_poses_score(errors), counted)
    worse = metrics.correct_poses_score(errors + np.random.default_rng(seed).random(errors.shape))
    assert (worse <= metrics.correct_poses_score(errors)).all()


@given(seeds)
def test_best_of_the_most_probable_falls_from_top_1_to_best_of_m(seed):
    rng = np.random.default_rng(seed)
    errors, weights = rng.random((5, 4)), rng.dirichlet(np.ones(4), 5)
    curve = metrics.best_of_most_probable(errors, weights)
    np.testing.assert_array_equal(curve[:, 0], metrics.top_1(errors, weights))
    np.testing.assert_array_equal(curve[:, -1], metrics.best_of_m(errors))
    assert all((curve[:, after] <= curve[:, before]).all() for before, after in itertools.pairwise(range(4)))


def test_torch_agrees():
    errors = _errors(0)
    for metric in (metrics.pck, metrics.auc, metrics.correct_poses_score):
        np.testing.assert_allclose(metric(torch.from_numpy(errors)).numpy(), metric(errors))
