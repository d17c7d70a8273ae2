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
    hypotheses = random_hypotheses(0, rows=300, num_hypotheses=3)
    truth = PoseMixture(hypotheses).sample(1, np.random.default_rng(1))[0]
    return hypotheses, truth


def test_figures_are_those_of_the_definitions(scene):
    hypotheses, truth = scene
    row = evaluate("all", hypotheses, truth + np.array([0.1, 0.2, 4.0]))
    error = 1000 * np.linalg.norm(hypotheses.means_m - truth[:, None], axis=-1).mean(-1)
    rows = np.arange(len(truth))
    mean = (hypotheses.mixing_coefficients[..., None, None] * hypotheses.means_m).sum(1)
    assert row.accuracy.best_of_m == pytest.approx(error.min(1).mean(), rel=1e-5)
    assert row.accuracy.top_1 == pytest.approx(error[rows, hypotheses.mixing_coefficients.argmax(1)].mean(), rel=1e-5)
    assert row.accuracy.mean == pytest.approx(1000 * np.linalg.norm(mean - truth, axis=-1).mean(), rel=1e-5)
    assert row.distribution.nll == pytest.approx(-PoseMixture(hypotheses).log_prob(truth).mean() / 48, rel=1e-5)
    assert row.num_poses == row.num_lifted == 300


def test_truth_drawn_from_the_stated_distribution_is_calibrated(scene):
    hypotheses, truth = scene
    row = evaluate("all", hypotheses, truth)
    assert row.distribution.ece < 0.02
    assert row.distribution.coverage_68 == pytest.approx(0.68, abs=0.02)
    narrow = dataclasses.replace(hypotheses, std_m=0.3 * hypotheses.std_m)
    assert evaluate("narrow", narrow, truth).distribution.ece > row.distribution.ece


def test_turning_camera_and_truth_together_changes_nothing(scene):
    hypotheses, truth = scene
    turn = Rotation.random(rng=3).as_matrix().astype(np.float32)
    turned = dataclasses.replace(
        hypotheses, means_m=hypotheses.means_m @ turn.T, view_rotation=turn @ hypotheses.view_rotation
    )
    one, other = evaluate("a", hypotheses, truth), evaluate("a", turned, truth @ turn.T)
    figures, turned_figures = one.as_dict(), other.as_dict()
    # Samples and intervals are of camera coordinates, which do turn.
    sampled = {
        "name",
        "best_of_samples",
        "best_of_sample_counts",
        "ece",
        "calibration_bias",
        "coverage_68",
        "reliability",
    }
    for name in (
        set(figures) - sampled - {"spread_bins", "per_joint", "win_rates", "best_of_most_probable", "mpsce", "action"}
    ):
        assert turned_figures[name] == pytest.approx(figures[name], rel=1e-3, abs=1e-6), name


def test_rows_that_were_not_lifted_are_counted_and_left_out(scene):
    hypotheses, truth = scene
    status = hypotheses.status.astype("<U32")
    status[:10] = "no_person"
    means = hypotheses.means_m.copy()
    means[:10] = np.nan
    row = evaluate("some", dataclasses.replace(hypotheses, status=status, means_m=means), truth)
    assert (row.num_poses, row.num_lifted) == (300, 290)
    assert np.isfinite(row.accuracy.best_of_m)


def test_actions_partition_the_views(scene):
    hypotheses, truth = scene
    action = np.array(["walk", "sit"])[np.arange(300) % 3 // 2]
    whole, *rows = evaluate_by_action("all", hypotheses, truth, action)
    assert [row.label for row in rows] == ["all / sit", "all / walk"]
    assert sum(row.num_poses for row in rows) == 300
    for figure in ("top_1", "best_of_samples", "cps_best", "auc_top_1"):
        together = sum(row.num_poses * getattr(row.accuracy, figure) for row in rows) / 300
        assert together == pytest.approx(getattr(whole.accuracy, figure), rel=1e-6), figure
    assert whole == evaluate("all", hypotheses, truth)


def test_more_hypotheses_and_more_samples_come_nearer(scene):
    row = evaluate("all", *scene)
    samples = list(row.accuracy.best_of_sample_counts.values())
    assert samples == sorted(samples, reverse=True)
    assert samples[0] > samples[-1] == row.accuracy.best_of_samples
    by_number = row.accuracy.best_of_most_probable
    assert list(by_number) == sorted(by_number, reverse=True)
    assert (by_number[0], by_number[-1]) == pytest.approx((row.accuracy.top_1, row.accuracy.best_of_m))


def test_figures_are_consistent_with_each_other(scene):
    row = evaluate("all", *scene)
    accuracy, distribution, body = row.accuracy, row.distribution, row.body
    assert accuracy.pa_best_of_m <= accuracy.pa_top_1 <= accuracy.n_top_1 <= accuracy.top_1
    for share in (accuracy.pck_best, accuracy.auc_best, body.within_limits, distribution.coverage_68):
        assert 0 <= share <= 1
    assert accuracy.auc_best <= accuracy.pck_best
    assert accuracy.cps_best >= accuracy.cps_top_1
    assert sum(distribution.win_rates) == pytest.approx(1.0)
    joints = accuracy.per_joint
    assert joints["pelvis"]["top_1"] == 0.0
    assert np.mean([joint["top_1"] for joint in joints.values()]) == pytest.approx(accuracy.top_1)


def test_perfect_answers_are_perfect(scene):
    hypotheses, truth = scene
    exact = dataclasses.replace(hypotheses, means_m=np.repeat(truth[:, None], 3, axis=1).astype(np.float32))
    row = evaluate("exact", exact, truth)
    assert row.accuracy.top_1 == pytest.approx(0.0, abs=1e-3)
    assert row.accuracy.pck_best == 1.0
    assert row.accuracy.cps_top_1 == pytest.approx(300.0)
    assert row.distribution.calibration_bias > 0.3


def test_stated_deviations_that_foretell_errors_are_seen_to_do_so(random_hypotheses):
    hypotheses = random_hypotheses(3, rows=400, num_hypotheses=1)
    factor = np.random.default_rng(0).uniform(0.1, 2.0, (400, 1, 1, 1)).astype(np.float32)
    honest = dataclasses.replace(hypotheses, std_m=factor * hypotheses.std_m)
    truth = PoseMixture(honest).sample(1, np.random.default_rng(1))[0]
    row = evaluate("honest", honest, truth)
    assert row.distribution.sigma_rank_correlation > 0.5
    assert row.distribution.mean_surest_half < 0.7 * row.accuracy.mean
    stated, actual = row.distribution.spread_bins.stated, row.distribution.spread_bins.actual
    np.testing.assert_allclose(actual, stated, rtol=0.15)
    shuffled = dataclasses.replace(honest, std_m=honest.std_m[::-1])
    assert abs(evaluate("shuffled", shuffled, truth).distribution.sigma_rank_correlation) < 0.3


def test_spread_is_that_of_the_frame_of_the_line_of_sight(random_hypotheses):
    one = random_hypotheses(0, rows=50, num_hypotheses=1)
    std = np.broadcast_to(np.array([0.03, 0.2], np.float32), one.std_m.shape)
    row = evaluate("one", dataclasses.replace(one, std_m=std), one.means_m[:, 0])
    assert (row.distribution.across, row.distribution.along) == pytest.approx((30.0, 200.0), rel=1e-5)


def test_bones_over_time_are_measured_in_films_only(random_hypotheses, standing_poses):
    hypotheses = random_hypotheses(0, rows=60, num_hypotheses=1)
    assert evaluate("views", hypotheses, hypotheses.means_m[:, 0]).body.mpsce is None
    rigid = np.repeat(standing_poses[:1, None], 60, axis=0)
    film = dataclasses.replace(hypotheses, means_m=rigid, fps=30.0)
    assert evaluate("film", film, rigid[:, 0]).body.mpsce == pytest.approx(0.0, abs=1e-3)
    breathing = film.means_m * np.linspace(0.9, 1.1, 60, dtype=np.float32)[:, None, None, None]
    assert evaluate("film", dataclasses.replace(film, means_m=breathing), rigid[:, 0]).body.mpsce > 10
    scattered = dataclasses.replace(film, means_m=breathing, frame=2 * np.arange(60))
    assert evaluate("film", scattered, rigid[:, 0]).body.mpsce is None


def test_impossible_bodies_are_counted_and_named(random_hypotheses, standing_poses):
    hypotheses = random_hypotheses(0, rows=100, num_hypotheses=2)
    people = np.stack([standing_poses[:100], standing_poses[:100] * np.array([1, 1, -1], np.float32)], axis=1)
    row = evaluate("half", dataclasses.replace(hypotheses, means_m=people), standing_poses[:100])
    assert row.body.truth_within_limits > 0.9
    assert row.body.within_limits == pytest.approx(0.5 * row.body.truth_within_limits, abs=0.1)
    assert max(row.body.beyond_limits.values()) > 0.2


def test_wrong_truth_is_explained(scene):
    hypotheses, truth = scene
    with pytest.raises(InputError, match=r"truth: expected shape \(300, 17, 3\).* got \(299, 17, 3\)"):
        evaluate("short", hypotheses, truth[1:])
    with pytest.raises(InputError, match="at least one lifted pose"):
        evaluate("nan", hypotheses, np.full_like(truth, np.nan))
