from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.video import KeypointSettings, OnlineKeypointSmoother, smooth_keypoints
from pose_mdn.video.keypoint_smoothing import Window, noise_of, part_of

from .conftest import FPS, Sway

WRIST = HUMAN36M17.index("l_wrist")


def _keypoints(sway: Sway, rows: int = 50, *, noise: float = 0.02, seed: int = 0, person: int = 0) -> KeypointSequence:
    hypotheses = sway(rows, noise=noise, seed=seed, person=person).hypotheses
    return KeypointSequence(
        keypoints_px=hypotheses.keypoints_px,
        confidence=hypotheses.confidence,
        skeleton=HUMAN36M17,
        frame=hypotheses.frame,
        person=hypotheses.person,
        fps=FPS,
    )


def _without(keypoints: KeypointSequence, rows: slice, joints: slice | int = slice(None)) -> KeypointSequence:
    points, confidence = keypoints.keypoints_px.copy(), keypoints.confidence.copy()
    points[rows, joints] = np.nan
    confidence[rows, joints] = 0.0
    return replace(keypoints, keypoints_px=points, confidence=confidence)


def _distance(found: KeypointSequence, exact: KeypointSequence) -> np.ndarray:
    return np.linalg.norm(found.keypoints_px - exact.keypoints_px, axis=-1)


def test_noise_goes_and_motion_stays(sway: Sway) -> None:
    exact, noisy = _keypoints(sway, noise=0.0), _keypoints(sway, noise=0.05)
    assert _distance(smooth_keypoints(exact), exact).max() < 3.0
    assert _distance(smooth_keypoints(noisy), exact).mean() < 0.6 * _distance(noisy, exact).mean()


def test_steady_motion_across_the_picture_is_exact(sway: Sway) -> None:
    start = _keypoints(sway, 1, noise=0.0).keypoints_px
    moments = np.arange(80, dtype=np.float32)[:, None, None]
    exact = replace(_keypoints(sway, 80), keypoints_px=start + moments * np.array([2.0, -0.5], np.float32))
    assert _distance(smooth_keypoints(exact), exact).max() < 1e-2


def test_an_outlier_is_set_aside(sway: Sway) -> None:
    exact = _keypoints(sway, noise=0.0)
    points = exact.keypoints_px.copy()
    points[20, WRIST] += 150.0
    found = smooth_keypoints(replace(exact, keypoints_px=points))
    assert _distance(found, exact)[:, WRIST].max() < 8.0


def test_short_absences_are_filled_and_doubted_and_long_ones_stay(sway: Sway) -> None:
    exact = _keypoints(sway, noise=0.0)
    short = smooth_keypoints(_without(exact, slice(20, 23), WRIST))
    assert _distance(short, exact)[20:23, WRIST].max() < 5.0
    assert (short.confidence[20:23, WRIST] > 0).all()
    assert (short.confidence[20:23, WRIST] <= 1).all()
    assert (np.delete(short.confidence, WRIST, axis=1) == 1).all()
    long = smooth_keypoints(_without(exact, slice(10, 50), WRIST))
    assert np.isnan(long.keypoints_px[30:, WRIST]).all()
    assert (long.confidence[30:, WRIST] == 0).all()
    assert np.isfinite(np.delete(long.keypoints_px, WRIST, axis=1)).all()


def test_empty_rows_within_a_film_are_filled(sway: Sway) -> None:
    exact = _keypoints(sway, noise=0.0)
    found = smooth_keypoints(_without(exact, slice(30, 32)))
    assert _distance(found, exact).max() < 5.0


def test_a_joint_that_is_never_seen_stays_missing(sway: Sway) -> None:
    found = smooth_keypoints(_without(_keypoints(sway), slice(None), WRIST))
    assert np.isnan(found.keypoints_px[:, WRIST]).all()


def test_it_turns_shifts_and_grows_with_the_picture(sway: Sway) -> None:
    keypoints = _keypoints(sway)
    matrix = 3.0 * np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)
    moved = replace(keypoints, keypoints_px=keypoints.keypoints_px @ matrix + np.array([50.0, -20.0], np.float32))
    expected = smooth_keypoints(keypoints).keypoints_px @ matrix + np.array([50.0, -20.0])
    np.testing.assert_allclose(smooth_keypoints(moved).keypoints_px, expected, atol=0.05)


def test_a_film_played_backwards_is_smoothed_alike(sway: Sway) -> None:
    keypoints = _keypoints(sway, 30)
    turned = replace(keypoints.take(slice(None, None, -1)), frame=keypoints.frame)
    found = smooth_keypoints(turned).keypoints_px[::-1]
    np.testing.assert_allclose(found, smooth_keypoints(keypoints).keypoints_px, atol=1e-2)


def test_chunks_do_not_show(sway: Sway) -> None:
    keypoints = _keypoints(sway, 120)
    whole = smooth_keypoints(keypoints, KeypointSettings(reach_s=100.0))
    assert _distance(smooth_keypoints(keypoints), whole).max() < 0.3


def test_people_and_nobody_are_kept_apart(sway: Sway) -> None:
    one, other = _keypoints(sway, 20, seed=1), _keypoints(sway, 20, seed=2, person=3)
    nobody = _without(_keypoints(sway, 20, person=-1), slice(None))
    names = ("keypoints_px", "confidence", "frame", "person")
    columns = {name: np.concatenate([getattr(part, name) for part in (one, nobody, other)]) for name in names}
    found = smooth_keypoints(replace(one, **columns))
    np.testing.assert_array_equal(found.keypoints_px[:20], smooth_keypoints(one).keypoints_px)
    np.testing.assert_array_equal(found.keypoints_px[40:], smooth_keypoints(other).keypoints_px)
    assert np.isnan(found.keypoints_px[20:40]).all()


@pytest.mark.parametrize("absent", [slice(0, 0), slice(20, 22)])
def test_live_with_a_long_lag_it_is_the_same(sway: Sway, absent: slice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pose_mdn.video.keypoint_smoothing._ITERATIONS", 60)
    monkeypatch.setattr("pose_mdn.video.online_keypoints._ITERATIONS", 3)
    keypoints = _without(_keypoints(sway, 40), absent)
    whole = smooth_keypoints(keypoints, KeypointSettings(reach_s=100.0))
    smoother = OnlineKeypointSmoother(KeypointSettings(reach_s=100.0), lag=30)
    found = [pair for row in range(40) for pair in smoother.push(keypoints.take(slice(row, row + 1)))]
    assert len(found) == 10
    found += smoother.flush()
    points = np.stack([pair[0] for pair in found])
    assert np.linalg.norm(points - whole.keypoints_px, axis=-1).max() < 1.0
    np.testing.assert_allclose(np.stack([pair[1] for pair in found]), whole.confidence, atol=0.05)


def test_live_rows_out_of_reach_are_forgotten(sway: Sway) -> None:
    smoother = OnlineKeypointSmoother(lag=2)
    keypoints = _keypoints(sway, 100)
    for row in range(100):
        smoother.push(keypoints.take(slice(row, row + 1)))
    assert len(smoother._waiting) == 2
    (window,) = smoother._windows.values()
    assert len(window) <= 0.5 * FPS + 4


@pytest.mark.parametrize("noise", [0.006, 0.015])
def test_the_detectors_noise_is_found_whatever_the_motion_and_a_few_outliers(sway: Sway, noise: float) -> None:
    rng = np.random.default_rng(0)
    time_s = np.cumsum(rng.uniform(0.02, 0.06, 60))
    points = _keypoints(sway, 1, noise=0.0).keypoints_px + time_s[:, None, None] * np.array([90.0, -30.0])
    size = float(np.linalg.norm(np.ptp(points[0], axis=0)))
    points += noise * size * rng.normal(size=points.shape)
    points[rng.random((60, 17)) < 0.03] += 100.0
    window = Window(points_px=points, seen=np.ones((60, 17), bool), confidence=np.ones((60, 17)), time_s=time_s)
    assert noise_of(window, size) == pytest.approx(1.5 * noise, rel=0.15)
    assert noise_of(part_of(window, slice(0, 3)), size) == 0.025
