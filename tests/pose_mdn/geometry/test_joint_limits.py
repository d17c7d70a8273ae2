import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.joint_limits import LIMIT_NAMES, TOLERANCE_RAD, limit_excess_rad, within_limits
from pose_mdn.geometry.kinematics import bone_vectors, chain_matrix
from pose_mdn.skeletons import HUMAN36M17

CHILDREN = [HUMAN36M17.joint_names[child] for _, child in HUMAN36M17.bones]
ASIDE, UP, AHEAD = np.eye(3)
FOLDED_L, FOLDED_R = -ASIDE - 0.4 * UP, ASIDE - 0.4 * UP


@pytest.fixture
def person(standing_poses):
    """Who stands upright and looks along z, and how to point a bone elsewhere."""
    bones = bone_vectors(standing_poses.mean(axis=0), HUMAN36M17)

    def pose(**directions: np.ndarray) -> np.ndarray:
        changed = bones.copy()
        for joint, direction in directions.items():
            bone = CHILDREN.index(joint)
            changed[bone] = np.linalg.norm(bones[bone]) * direction / np.linalg.norm(direction)
        return chain_matrix(HUMAN36M17) @ changed

    return pose


def _beyond(pose: np.ndarray) -> set[str]:
    return {name for name, excess in zip(LIMIT_NAMES, limit_excess_rad(pose), strict=True) if excess > TOLERANCE_RAD}


def test_standing_people_are_possible(standing_poses):
    assert within_limits(standing_poses).mean() > 0.95


POSSIBLE = {
    "sitting": {"l_knee": AHEAD, "l_ankle": -UP, "r_knee": AHEAD, "r_ankle": -UP},
    "squatting": {"l_knee": 2 * AHEAD + UP, "l_ankle": -UP - AHEAD, "r_knee": 2 * AHEAD + UP, "r_ankle": -UP - AHEAD},
    "arms raised": {"l_elbow": UP, "l_wrist": UP, "r_elbow": UP, "r_wrist": UP},
    "arms aside": {"l_elbow": ASIDE, "l_wrist": ASIDE, "r_elbow": -ASIDE, "r_wrist": -ASIDE},
    "hands to the shoulders": {"l_wrist": UP + 0.3 * AHEAD, "r_wrist": UP + 0.3 * AHEAD},
    "cross-legged": {"l_knee": AHEAD + ASIDE, "l_ankle": FOLDED_L, "r_knee": AHEAD - ASIDE, "r_ankle": FOLDED_R},
    "heel to the bottom": {"r_ankle": UP - 1.2 * AHEAD},
}
IMPOSSIBLE = {
    "knee bent forward": ({"l_ankle": AHEAD}, "l_knee"),
    "knee bent aside": ({"r_ankle": -ASIDE}, "r_knee"),
    "leg backward": ({"l_knee": -AHEAD, "l_ankle": -AHEAD}, "l_hip"),
    "leg through the other": ({"r_knee": ASIDE - 0.5 * UP, "r_ankle": ASIDE - 0.5 * UP}, "r_hip"),
    "arm backward and up": ({"l_elbow": -AHEAD + 0.5 * UP, "l_wrist": -AHEAD + 0.5 * UP}, "l_shoulder"),
    "elbow bent backward": ({"l_elbow": -UP, "l_wrist": -AHEAD}, "l_elbow"),
    "forearm inside the upper arm": ({"r_elbow": -UP, "r_wrist": UP + 0.01 * AHEAD}, "r_elbow"),
    "trunk folded backward": ({"thorax": -AHEAD}, "spine"),
    "head on the back": ({"head_top": -AHEAD - 0.5 * UP}, "head"),
    "chest turned about": ({"l_shoulder": -ASIDE, "r_shoulder": ASIDE}, "twist"),
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_people_do_is_possible(person, name):
    assert _beyond(person(**POSSIBLE[name])) == set()


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_nobody_does_is_named(person, name):
    directions, limit = IMPOSSIBLE[name]
    pose = person(**directions)
    assert limit in _beyond(pose)
    assert not within_limits(pose)


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 3.0))
def test_place_heading_size_and_mirror_change_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    pose = rng.normal(size=(4, 17, 3))
    excess = limit_excess_rad(pose)
    moved = scale * pose @ Rotation.random(rng=seed).as_matrix().T + rng.normal(size=3)
    np.testing.assert_allclose(limit_excess_rad(moved), excess, atol=1e-6)
    flipped = pose[:, list(HUMAN36M17.flip_indices)] * np.array([-1.0, 1.0, 1.0])
    mirror = [LIMIT_NAMES.index(_other_side(name)) for name in LIMIT_NAMES]
    np.testing.assert_allclose(limit_excess_rad(flipped)[:, mirror], excess, atol=1e-6)
    assert (excess >= 0).all()


def _other_side(name: str) -> str:
    return {"l": "r", "r": "l"}[name[0]] + name[1:] if name[1] == "_" else name


def test_a_body_seen_inside_out_is_impossible(person):
    sitting = person(**POSSIBLE["sitting"])
    assert not within_limits(sitting * np.array([1.0, 1.0, -1.0]))


def test_torch_agrees_and_gives_finite_gradients(standing_poses):
    expected = limit_excess_rad(standing_poses.astype(np.float64))
    pose = torch.tensor(standing_poses, dtype=torch.float64, requires_grad=True)
    excess = limit_excess_rad(pose)
    np.testing.assert_allclose(excess.detach().numpy(), expected, atol=1e-9)
    excess.sum().backward()
    assert pose.grad is not None
    assert torch.isfinite(pose.grad).all()


def test_coinciding_joints_give_numbers():
    assert np.isfinite(limit_excess_rad(np.zeros((2, 17, 3)))).all()
