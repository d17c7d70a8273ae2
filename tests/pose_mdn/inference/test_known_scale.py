"""People of known size who stand before a camera of known height, and what the pieces say about them."""

from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.ground_plane import GroundPlane
from pose_mdn.geometry.known_body import stature_m
from pose_mdn.geometry.known_distance import KnownDistance
from pose_mdn.inference.ground_evidence import ANKLE_HEIGHT, evidence_of_ground
from pose_mdn.inference.known_scale import KnownScale, with_known_scale
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

GROUND = GroundPlane.of_height_and_tilt(1.6, np.radians(15.0))
ANKLES = [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")]
STATURE_M = 1.35


def lifted(joints_m: np.ndarray, person: np.ndarray | None = None, size: float = 1.3) -> HypothesisSequence:
    """Two hypotheses of true (N, 17, 3) joints, that a lifter took for `size` times as large."""
    rows = len(joints_m)
    scales = size * np.array([0.97, 1.03])[None, :, None]
    root = joints_m[:, None, 0] * scales
    means = (joints_m - joints_m[:, :1])[:, None] * scales[..., None]
    return HypothesisSequence(
        means_m=means.astype(np.float32),
        std_m=np.full((rows, 2, 17, 2), 0.02, np.float32),
        view_rotation=np.tile(np.eye(3, dtype=np.float32), (rows, 1, 1)),
        mixing_coefficients=np.full((rows, 2), 0.5, np.float32),
        root_translation_m=root.astype(np.float32),
        reprojection_error_px=np.ones((rows, 2), np.float32),
        status=np.full(rows, "lifted"),
        keypoints_px=np.zeros((rows, 17, 2), np.float32),
        confidence=np.ones((rows, 17), np.float32),
        frame=np.arange(rows),
        person=np.zeros(rows, np.int64) if person is None else person,
        intrinsics=np.tile(np.eye(3), (rows, 1, 1)),
        intrinsics_source="given",
        distortion=np.zeros(0),
        image_size=None,
        fps=None,
        source_skeleton="human36m17",
        model="none/1",
    )


def stand_on(ground: GroundPlane, poses: np.ndarray, distance_m: float) -> np.ndarray:
    """(N, 17, 3) joints of a person of 1.35 m who stands here and there on the ground, camera frame."""
    rng = np.random.default_rng(0)
    joints = poses.astype(np.float64) * STATURE_M / stature_m(poses.astype(np.float64))[:, None, None]
    joints[:, :, 1] -= joints[:, ANKLES, 1].min(axis=1, keepdims=True) - ANKLE_HEIGHT * STATURE_M
    joints[:, :, [0, 2]] += rng.uniform([-1, distance_m - 1], [1, distance_m + 1], (len(poses), 1, 2))
    right = np.array([1.0, 0.0, 0.0])
    axes = np.stack([right, ground.up, np.cross(right, -ground.up)])
    return np.asarray(joints @ axes - ground.camera_height_m * ground.up)


@pytest.fixture(scope="module")
def standing(standing_poses: np.ndarray) -> np.ndarray:
    """(40, 17, 3) joints of a person of 1.35 m before `GROUND`'s camera."""
    return stand_on(GROUND, standing_poses[:40], 4.0)


def sizes(hypotheses: HypothesisSequence) -> np.ndarray:
    return np.asarray(stature_m(hypotheses.means_m.astype(np.float64)))


def test_people_get_the_size_that_stands_on_the_ground(standing: np.ndarray) -> None:
    found = with_known_scale(lifted(standing), KnownScale(ground=GROUND))
    np.testing.assert_allclose(sizes(found), STATURE_M, rtol=0.01)
    np.testing.assert_allclose(found.root_translation_m[:, 0], standing[:, 0], rtol=0.01, atol=0.02)
    assert "40 of 40 rows stand on it" in found.size_source
    assert (found.root_std_m[..., 1] > 0.03 * found.root_translation_m[..., 2]).all()


@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
def test_how_large_they_were_taken_for_does_not_matter(standing: np.ndarray, size: float) -> None:
    evidence = evidence_of_ground(lifted(standing, size=size), GROUND, 0).evidence
    assert evidence is not None
    assert evidence.stature_m == pytest.approx(STATURE_M, rel=0.01)


def test_a_scene_twice_as_large_gives_people_twice_as_tall(standing: np.ndarray) -> None:
    ground = replace(GROUND, camera_height_m=2 * GROUND.camera_height_m)
    evidence = evidence_of_ground(lifted(standing), ground, 0).evidence
    assert evidence is not None
    assert evidence.stature_m == pytest.approx(2 * STATURE_M, rel=0.01)


def test_jumps_do_not_count(standing: np.ndarray) -> None:
    jumping = np.arange(40) % 3 == 0
    joints = standing + np.where(jumping, 0.35, 0.0)[:, None, None] * GROUND.up
    looked = evidence_of_ground(lifted(joints), GROUND, 0)
    assert looked.evidence is not None
    assert looked.evidence.stature_m == pytest.approx(STATURE_M, rel=0.01)
    assert not (looked.stands & jumping).any()
    assert looked.stands.sum() == (~jumping).sum()


def test_a_camera_near_the_ground_is_refused_with_the_reason(standing_poses: np.ndarray) -> None:
    low = GroundPlane.of_height_and_tilt(0.1, 0.0)
    far_away = lifted(stand_on(low, standing_poses[:40], 30.0))
    with pytest.raises(InputError, match=r"at most 0\.\d degrees below the horizon"):
        with_known_scale(far_away, KnownScale(ground=low))
    with pytest.raises(InputError, match="never seen below the horizon"):
        with_known_scale(far_away, KnownScale(ground=GroundPlane.of_height_and_tilt(0.1, np.radians(-20))))


def test_feet_that_are_not_seen_say_nothing(standing: np.ndarray) -> None:
    hypotheses = lifted(standing)
    hypotheses.confidence[:, ANKLES[0]] = 0
    assert evidence_of_ground(hypotheses, GROUND, 0).reason == "both ankles are never seen"


def test_a_bone_of_known_length_fixes_every_row(standing: np.ndarray) -> None:
    hypotheses = lifted(standing)
    wanted = float(np.median(np.linalg.norm(hypotheses.means_m[:, :, 1] - hypotheses.means_m[:, :, 2], axis=-1))) * 1.1
    pair = (HUMAN36M17.joint_names[1], HUMAN36M17.joint_names[2])
    found = with_known_scale(hypotheses, KnownScale(distances=[KnownDistance(joints=pair, distance_m=wanted)]))
    assert np.median(sizes(found)) == pytest.approx(1.1 * np.median(sizes(hypotheses)), rel=0.03)
    assert np.ptp(sizes(found)) < 1e-4
    assert "r_hip to r_knee" in found.size_source


def test_a_distance_at_one_frame_fixes_all_of_them(standing: np.ndarray) -> None:
    one, other = (HUMAN36M17.index(name) for name in ("l_wrist", "r_wrist"))
    true_m = float(np.linalg.norm(standing[7, one] - standing[7, other]))
    known = KnownDistance(joints=("l_wrist", "r_wrist"), distance_m=true_m, frame=7)
    found = with_known_scale(lifted(standing), KnownScale(distances=[known]))
    np.testing.assert_allclose(sizes(found), STATURE_M, rtol=0.02)
    assert "at frame 7" in found.size_source
    with pytest.raises(InputError, match="lifted at frame 99"):
        with_known_scale(lifted(standing), KnownScale(distances=[replace(known, frame=99)]))


def test_joints_one_behind_the_other_are_refused(standing: np.ndarray) -> None:
    hypotheses = lifted(standing)
    hypotheses.means_m[7, :, HUMAN36M17.index("l_wrist")] = [0.1, 0.0, 0.0]
    hypotheses.means_m[7, :, HUMAN36M17.index("r_wrist")] = [0.1, 0.0, 0.2]
    hypotheses.std_m[..., 1] = 0.1
    known = KnownDistance(joints=("l_wrist", "r_wrist"), distance_m=0.3, frame=7)
    with pytest.raises(InputError, match="seen apart"):
        with_known_scale(hypotheses, KnownScale(distances=[known]))


def test_with_several_people_a_distance_says_whose_it_is(standing: np.ndarray) -> None:
    hypotheses = lifted(standing, person=np.arange(40) % 2)
    known = KnownDistance(joints=("l_hip", "l_knee"), distance_m=0.5)
    with pytest.raises(InputError, match="there are 2 people"):
        with_known_scale(hypotheses, KnownScale(distances=[known]))
    with pytest.raises(InputError, match="got person 5"):
        with_known_scale(hypotheses, KnownScale(distances=[replace(known, person=5)]))
    found = with_known_scale(hypotheses, KnownScale(distances=[replace(known, person=1)]))
    np.testing.assert_array_equal(found.means_m[::2], hypotheses.means_m[::2])
    assert np.isnan(found.root_std_m[::2]).all()
    assert np.isfinite(found.root_std_m[1::2]).all()


def test_givens_that_agree_are_combined_and_others_refused(standing: np.ndarray) -> None:
    def of(stature: float) -> KnownScale:
        return KnownScale(bodies=KnownBodies(everyone=KnownBody(stature_m=stature)), ground=GROUND)

    found = with_known_scale(lifted(standing), of(STATURE_M))
    assert "stature 1.35 m and ground 1.6 m below" in found.size_source
    with pytest.raises(InputError, match=r"stature 1\.9 m: .* but ground 1\.6 m below"):
        with_known_scale(lifted(standing), of(1.9))


def test_rows_that_were_not_lifted_keep_their_place(standing: np.ndarray) -> None:
    hypotheses = lifted(standing)
    hypotheses.status[3] = "no_person"
    for name in ("means_m", "std_m", "root_translation_m", "mixing_coefficients"):
        getattr(hypotheses, name)[3] = np.nan
    found = with_known_scale(hypotheses, KnownScale(ground=GROUND))
    assert np.isnan(found.means_m[3]).all()
    assert np.isnan(found.root_std_m[3]).all()
    np.testing.assert_allclose(np.delete(sizes(found), 3, axis=0), STATURE_M, rtol=0.01)
