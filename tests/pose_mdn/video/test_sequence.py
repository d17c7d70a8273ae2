from dataclasses import replace

import cv2
import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.video import SmoothingSettings, smooth_sequence

from .conftest import INTRINSICS, Sway

SMOOTHED = ("means_m", "std_m", "mixing_coefficients", "root_translation_m", "reprojection_error_px")


def _assert_equal(found: HypothesisSequence, expected: HypothesisSequence, atol: float = 1e-6) -> None:
    for name in SMOOTHED:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=atol, err_msg=name)


def test_smoothing_comes_nearer_to_the_truth(sway: Sway) -> None:
    swaying = sway(90, noise=0.03)
    before, after = swaying.hypotheses, smooth_sequence(swaying.hypotheses)

    def error(hypotheses: HypothesisSequence) -> float:
        return float(np.linalg.norm(hypotheses.means_m[:, 0] - swaying.pose_m, axis=-1).mean())

    assert error(after) < 0.5 * error(before)
    assert (after.most_probable == 0).mean() >= (before.most_probable == 0).mean()


def test_the_place_of_the_pelvis_is_smoothed(sway: Sway) -> None:
    swaying = sway(90)
    hypotheses = swaying.hypotheses
    rng = np.random.default_rng(0)
    hypotheses.root_translation_m[:] += rng.normal(size=(90, 1, 3)) * np.array([0.01, 0.01, 0.15])
    before, after = (
        np.abs(found.root_translation_m[:, 0] - swaying.root_m).mean(axis=0)
        for found in (hypotheses, smooth_sequence(hypotheses))
    )
    assert (after < 0.5 * before).all()


def test_the_result_is_a_mixture_for_each_row(sway: Sway) -> None:
    hypotheses = sway(20).hypotheses
    smoothed = smooth_sequence(hypotheses)
    np.testing.assert_allclose(smoothed.mixing_coefficients.sum(axis=1), 1.0, atol=1e-6)
    assert (smoothed.means_m[:, :, 0] == 0).all()
    assert (smoothed.std_m[:, :, 0] == 0).all()
    assert (smoothed.std_m[:, :, 1:] > 0).all()
    for name in ("keypoints_px", "confidence", "frame", "person", "status", "view_rotation"):
        np.testing.assert_array_equal(getattr(smoothed, name), getattr(hypotheses, name))


def test_a_person_who_stands_still_stays(sway: Sway) -> None:
    one = sway(1, noise=0.0).hypotheses
    still = replace(one.take(np.zeros(30, np.int64)), frame=np.arange(30))
    smoothed = smooth_sequence(still)
    np.testing.assert_allclose(smoothed.means_m[:, 0], still.means_m[:, 0], atol=1e-5)
    np.testing.assert_allclose(smoothed.root_translation_m, still.root_translation_m, rtol=1e-5)


def test_the_order_of_rows_does_not_matter(sway: Sway) -> None:
    hypotheses = sway(30).hypotheses
    order = np.random.default_rng(0).permutation(30)
    _assert_equal(smooth_sequence(hypotheses.take(order)), smooth_sequence(hypotheses).take(order))


def test_people_do_not_touch_each_other(sway: Sway) -> None:
    one, other = sway(30, seed=1).hypotheses, sway(30, seed=2, person=1).hypotheses
    both = smooth_sequence(HypothesisSequence.concatenate([one, other]))
    _assert_equal(both.take(slice(0, 30)), smooth_sequence(one))
    _assert_equal(both.take(slice(30, 60)), smooth_sequence(other))


def test_a_bad_row_keeps_its_place_and_spoils_nothing(sway: Sway) -> None:
    hypotheses = sway(30).hypotheses
    for name in SMOOTHED:
        getattr(hypotheses, name)[12] = np.nan
    hypotheses.status[12] = "degenerate"
    smoothed = smooth_sequence(hypotheses)
    others = np.arange(30) != 12
    assert np.isnan(smoothed.means_m[12]).all()
    assert smoothed.status[12] == "degenerate"
    _assert_equal(smoothed.take(others), smooth_sequence(hypotheses.take(others)))


def test_nothing_is_smoothed_over_a_cut_or_a_long_gap(sway: Sway) -> None:
    first, second = sway(20, seed=3).hypotheses, sway(20, seed=5).hypotheses
    second.keypoints_px[:] += 300.0
    cut = HypothesisSequence.concatenate([first, replace(second, frame=second.frame + 20)])
    gap = HypothesisSequence.concatenate([first, replace(first, frame=first.frame + 60)])
    _assert_equal(smooth_sequence(cut).take(slice(0, 20)), smooth_sequence(first))
    _assert_equal(smooth_sequence(cut).take(slice(20, 40)), smooth_sequence(second))
    _assert_equal(smooth_sequence(gap).take(slice(0, 20)), smooth_sequence(first))


def test_half_the_frame_rate_gives_nearly_the_same_film(sway: Sway) -> None:
    swaying = sway(60, noise=0.005)
    every, second = swaying.hypotheses, swaying.hypotheses.take(slice(None, None, 2))
    at_half_rate = replace(second, frame=second.frame // 2, fps=15.0)
    dropped = smooth_sequence(second)
    _assert_equal(smooth_sequence(at_half_rate), dropped)
    difference = np.linalg.norm(smooth_sequence(every).means_m[::2, 0] - dropped.means_m[:, 0], axis=-1)
    assert difference.mean() < 0.005


def test_reprojection_errors_are_those_of_the_smoothed_hypotheses(sway: Sway) -> None:
    lens = np.array([-0.2, 0.05, 0.001, -0.002, 0.0])
    hypotheses = replace(sway(8).hypotheses, distortion=lens)
    hypotheses.confidence[:, 3] = 0.25
    hypotheses.confidence[2, 5] = 0.0
    hypotheses.keypoints_px[2, 5] = np.nan
    smoothed = smooth_sequence(hypotheses)
    for row in range(8):
        seen = hypotheses.confidence[row] > 0
        points = hypotheses.keypoints_px[row, seen].astype(np.float64)
        ideal = cv2.undistortPoints(points[:, None], INTRINSICS, lens, P=INTRINSICS)[:, 0]
        joints = (smoothed.means_m[row, 1] + smoothed.root_translation_m[row, 1]).astype(np.float64)[seen]
        projected = cv2.projectPoints(joints, np.zeros(3), np.zeros(3), INTRINSICS, None)[0][:, 0]
        square = np.square(projected - ideal).sum(axis=1)
        expected = np.sqrt(np.average(square, weights=hypotheses.confidence[row, seen]))
        assert smoothed.reprojection_error_px[row, 1] == pytest.approx(expected, rel=1e-3)


def test_nobody_and_no_rows_are_left_alone(sway: Sway) -> None:
    nobody = replace(sway(5).hypotheses, person=np.full(5, -1))
    _assert_equal(smooth_sequence(nobody), nobody)
    assert len(smooth_sequence(nobody.take(slice(0, 0)))) == 0


def test_single_rows_hardly_change(sway: Sway) -> None:
    one = sway(1).hypotheses
    smoothed = smooth_sequence(one)
    np.testing.assert_allclose(smoothed.means_m, one.means_m, atol=1e-5)
    assert smoothed.most_probable[0] == one.most_probable[0]


def test_a_person_twice_in_a_frame_is_refused(sway: Sway) -> None:
    with pytest.raises(InputError, match="expected each person once in a frame"):
        smooth_sequence(sway(4).hypotheses.take(np.array([0, 1, 1])))


def test_progress_counts_the_rows(sway: Sway) -> None:
    counted: list[int] = []
    smooth_sequence(sway(25).hypotheses, SmoothingSettings(), counted.append)
    assert sum(counted) == 25
