import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.distributions import PoseMixture
from pose_mdn.errors import InputError
from pose_mdn.evaluation.protocol import evaluate, evaluate_by_action


@pytest.fixture
def scene(random_hypotheses):
    """Hypotheses, and truth drawn from the very distribution that they state."""
    hypotheses = random_hypotheses(0, rows=600, num_hypotheses=3)
    truth = PoseMixture(hypotheses).sample(1, np.random.default_rng(1))[0]
    return hypotheses, truth


def test_figures_are_those_of_the_definitions(scene):
    hypotheses, truth = scene
    row = evaluate("all", hypotheses, truth + np.array([0.1, 0.2, 4.0]))
    error = 1000 * np.linalg.norm(hypotheses.means_m - truth[:, None], axis=-1).mean(-1)
    rows = np.arange(len(truth))
    mean = (hypotheses.mixing_coefficients[..., None, None] * hypotheses.means_m).sum(1)
    assert row.best_of_m == pytest.approx(error.min(1).mean(), rel=1e-5)
    assert row.top_1 == pytest.approx(error[rows, hypotheses.mixing_coefficients.argmax(1)].mean(), rel=1e-5)
    assert row.mean == pytest.approx(1000 * np.linalg.norm(mean - truth, axis=-1).mean(), rel=1e-5)
    assert row.nll == pytest.approx(-PoseMixture(hypotheses).log_prob(truth).mean() / 48, rel=1e-5)
    assert row.num_poses == row.num_lifted == 600


def test_truth_drawn_from_the_stated_distribution_is_calibrated(scene):
    hypotheses, truth = scene
    row = evaluate("all", hypotheses, truth)
    assert row.ece < 0.02
    assert row.coverage_68 == pytest.approx(0.68, abs=0.02)
    narrow = dataclasses.replace(hypotheses, std_m=0.3 * hypotheses.std_m)
    assert evaluate("narrow", narrow, truth).ece > row.ece


def test_turning_camera_and_truth_together_changes_nothing(scene):
    hypotheses, truth = scene
    turn = Rotation.random(rng=3).as_matrix().astype(np.float32)
    turned = dataclasses.replace(
        hypotheses, means_m=hypotheses.means_m @ turn.T, view_rotation=turn @ hypotheses.view_rotation
    )
    one, other = evaluate("a", hypotheses, truth), evaluate("a", turned, truth @ turn.T)
    for name in ("best_of_m", "top_1", "mean", "pa_best_of_m", "pa_top_1", "n_top_1", "nll", "mpsse"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-3), name


def test_rows_that_were_not_lifted_are_counted_and_left_out(scene):
    hypotheses, truth = scene
    status = hypotheses.status.astype("<U32")
    status[:10] = "no_person"
    means = hypotheses.means_m.copy()
    means[:10] = np.nan
    row = evaluate("some", dataclasses.replace(hypotheses, status=status, means_m=means), truth)
    assert (row.num_poses, row.num_lifted) == (600, 590)
    assert np.isfinite(row.best_of_m)


def test_actions_partition_the_views(scene):
    hypotheses, truth = scene
    action = np.array(["walk", "sit"])[np.arange(600) % 3 // 2]
    rows = evaluate_by_action("all", hypotheses, truth, action)
    assert [row.name for row in rows] == ["all / sit", "all / walk"]
    assert sum(row.num_poses for row in rows) == 600
    whole = evaluate("all", hypotheses, truth)
    assert sum(row.num_poses * row.top_1 for row in rows) / 600 == pytest.approx(whole.top_1, rel=1e-6)


def test_wrong_truth_is_explained(scene):
    hypotheses, truth = scene
    with pytest.raises(InputError, match=r"truth: expected shape \(600, 17, 3\).* got \(599, 17, 3\)"):
        evaluate("short", hypotheses, truth[1:])
    with pytest.raises(InputError, match="at least one lifted pose"):
        evaluate("nan", hypotheses, np.full_like(truth, np.nan))
