"""What the shipped lifter tells about the cameras of made-up people."""

from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.geometry.field_of_view import centred_intrinsics
from pose_mdn.geometry.focal_length import GRID, PRIOR_FOCAL_PER_DIAGONAL, PRIOR_LOG_STD
from pose_mdn.inference import load_lifter
from pose_mdn.inference.focal_evidence import MAX_ROWS, person_evidence
from pose_mdn.inference.focal_length import estimate_focal_length, lift_with_unknown_focal_length
from pose_mdn.inference.lifter import Lifter
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

SIZE = (1280, 960)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter(threads=1)


def film(poses: np.ndarray, distance_m: float, focal_px: float, rows: int = 30) -> KeypointSequence:
    """People with y up, seen from above by 20 degrees, with a little noise."""
    c, s = np.cos(0.35), np.sin(0.35)
    joints = poses[:rows] * [1, -1, -1] @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T + [0, 0, distance_m]
    pixels = focal_px * joints[..., :2] / joints[..., 2:] + (np.array(SIZE) - 1) / 2
    height = np.ptp(pixels[..., 1], axis=1)[:, None, None]
    noisy = pixels + 0.003 * height * np.random.default_rng(0).normal(size=pixels.shape)
    return KeypointSequence(
        keypoints_px=noisy.astype(np.float32),
        confidence=np.ones(pixels.shape[:2], np.float32),
        skeleton=HUMAN36M17,
        frame=np.arange(rows),
        person=np.zeros(rows, np.int64),
        image_size=SIZE,
    )


@pytest.fixture(scope="module")
def body(standing_poses: np.ndarray) -> np.ndarray:
    """(30, 17, 3) one person who stands still: bones that changed would be nobody's."""
    return np.repeat(standing_poses[:1], 30, axis=0)


@pytest.fixture(scope="module")
def near(body: np.ndarray) -> KeypointSequence:
    return film(body, 2.2, 800.0)


def test_near_people_tell_short_lenses_from_long_ones(lifter: Lifter, body: np.ndarray, near: KeypointSequence) -> None:
    short, long = estimate_focal_length(lifter, near), estimate_focal_length(lifter, film(body, 2.2, 1400.0))
    assert short.focal_px < 0.8 * long.focal_px
    for found, true_px in ((short, 800.0), (long, 1400.0)):
        assert found.quantile_px(0.025) < true_px < found.quantile_px(0.975)
        assert found.log_std < 0.9 * PRIOR_LOG_STD
        assert not found.says_nothing
        assert found.rows == len(near)


def test_a_person_far_away_leaves_the_prior_and_the_text_says_so(lifter: Lifter, body: np.ndarray) -> None:
    silent = estimate_focal_length(lifter, film(body, 60.0, 1400.0))
    assert silent.says_nothing
    assert silent.focal_px == pytest.approx(PRIOR_FOCAL_PER_DIAGONAL * np.hypot(*SIZE))
    assert "too far away" in str(silent)


def test_focal_lengths_are_in_proportion_to_the_picture(lifter: Lifter, near: KeypointSequence) -> None:
    """The centre of the upper left pixel is (0, 0), so pixels grow about (-0.5, -0.5)."""
    double = replace(near, keypoints_px=2 * near.keypoints_px + 0.5, image_size=(2 * SIZE[0], 2 * SIZE[1]))
    one, two = estimate_focal_length(lifter, near), estimate_focal_length(lifter, double)
    assert two.focal_px == pytest.approx(2 * one.focal_px, rel=1e-3)
    assert two.log_std == pytest.approx(one.log_std, rel=1e-3)


def test_beyond_the_farthest_nothing_is_told() -> None:
    rng = np.random.default_rng(0)
    likelihood = rng.normal(size=(len(GRID), 5)) * 10
    assert np.ptp(person_evidence(likelihood, np.full((len(GRID), 5), 20.0))) == 0
    depth = np.linspace(5, 14, len(GRID))[:, None] * np.ones(5)
    curve = person_evidence(likelihood, depth)
    beyond = depth[:, 0] > 9.0 + 0.6
    assert np.ptp(curve[beyond]) < 1e-9
    assert np.ptp(curve[depth[:, 0] < 8.0]) > 0


def test_the_uncertainty_is_carried_into_the_result(lifter: Lifter, near: KeypointSequence) -> None:
    found, focal = lift_with_unknown_focal_length(lifter, near)
    fixed = lifter.lift(replace(near, intrinsics=centred_intrinsics(SIZE, focal.focal_px)))
    np.testing.assert_array_equal(found.means_m, fixed.means_m)
    np.testing.assert_array_equal(found.root_translation_m, fixed.root_translation_m)
    assert found.std_m[..., 1:, 1].mean() > 1.02 * fixed.std_m[..., 1:, 1].mean()
    relative = found.root_std_m[..., 1] / np.linalg.norm(found.root_translation_m, axis=-1)
    # Distance is in proportion to the focal length, and people's size adds to it.
    assert (relative > 0.8 * focal.log_std).all()
    assert (relative < 1.5 * np.hypot(focal.log_std, 0.1)).all()
    assert str(focal) in found.intrinsics_source
    assert found.intrinsics[0, 0, 0] == pytest.approx(focal.focal_px)


def test_rows_that_cannot_be_lifted_keep_their_place_and_spoil_nothing(lifter: Lifter, near: KeypointSequence) -> None:
    keypoints, person = near.keypoints_px.copy(), near.person.copy()
    keypoints[[3, 4]] = np.nan
    person[4] = -1
    holed = replace(near, keypoints_px=keypoints, person=person)
    found, focal = lift_with_unknown_focal_length(lifter, holed)
    assert focal.rows == len(near) - 2
    assert np.isnan(found.means_m[[3, 4]]).all()
    assert np.isnan(found.root_std_m[[3, 4]]).all()
    assert np.isfinite(np.delete(found.root_std_m, [3, 4], axis=0)).all()
    assert np.isfinite(np.delete(found.std_m, [3, 4], axis=0)).all()


def test_nobody_leaves_the_prior(lifter: Lifter, near: KeypointSequence) -> None:
    empty = replace(near, keypoints_px=np.full_like(near.keypoints_px, np.nan), person=np.full_like(near.person, -1))
    found, focal = lift_with_unknown_focal_length(lifter, empty)
    assert (focal.says_nothing, focal.rows) == (True, 0)
    assert found.intrinsics_source.startswith("not told by the person")
    assert np.isnan(found.means_m).all()


def test_long_clips_are_looked_at_evenly(lifter: Lifter, near: KeypointSequence) -> None:
    five = {name: np.concatenate([getattr(near, name)] * 5) for name in ("keypoints_px", "confidence", "person")}
    long = replace(near, **five, frame=np.arange(5 * len(near)))
    assert estimate_focal_length(lifter, long).rows == MAX_ROWS


def test_a_known_camera_or_an_unknown_picture_is_refused(lifter: Lifter, near: KeypointSequence) -> None:
    with pytest.raises(InputError, match="leave out one of both"):
        estimate_focal_length(lifter, replace(near, intrinsics=np.eye(3)))
    with pytest.raises(InputError, match="mean nothing without the matrix"):
        estimate_focal_length(lifter, replace(near, distortion=np.full(4, 0.01)))
    with pytest.raises(InputError, match="give width and height"):
        estimate_focal_length(lifter, replace(near, image_size=None))
