import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.body import BONE_CLASSES, KnownBody
from pose_mdn.geometry.kinematics import bone_directions_and_lengths
from pose_mdn.geometry.known_body import class_lengths_m, stature_m, stature_scale, with_bone_lengths
from pose_mdn.skeletons import HUMAN36M17

LENGTHS = st.dictionaries(st.sampled_from(BONE_CLASSES), st.floats(0.02, 0.9), min_size=1)


@pytest.fixture
def poses(standing_poses: np.ndarray) -> np.ndarray:
    return standing_poses[:8].astype(np.float64)


def test_a_standing_body_is_as_tall_as_it_stands(poses: np.ndarray) -> None:
    height = poses[:, HUMAN36M17.index("head_top"), 1] - poses[:, HUMAN36M17.index("l_ankle"), 1]
    np.testing.assert_allclose(stature_m(poses), height / 0.961, rtol=0.15)


@given(size=st.floats(0.3, 2.0), seed=st.integers(0, 2**32 - 1))
def test_stature_grows_with_the_body_and_ignores_posture(standing_poses: np.ndarray, size: float, seed: int) -> None:
    poses = standing_poses[:4].astype(np.float64)
    turned = poses @ Rotation.random(rng=seed).as_matrix()
    np.testing.assert_allclose(stature_m(size * turned), size * stature_m(poses))
    directions = np.random.default_rng(seed).normal(size=(4, 16, 3))
    lengths = np.linalg.norm(directions, axis=-1, keepdims=True)
    _, bones = bone_directions_and_lengths(poses, HUMAN36M17)
    sitting = np.zeros_like(poses)
    for bone, (parent, child) in enumerate(HUMAN36M17.bones):
        sitting[:, child] = sitting[:, parent] + (directions / lengths * bones[..., None])[:, bone]
    np.testing.assert_allclose(stature_m(sitting), stature_m(poses))


@given(wanted=st.floats(0.4, 2.6))
def test_a_scaled_body_has_the_stature_asked_for(standing_poses: np.ndarray, wanted: float) -> None:
    scale = stature_scale(standing_poses, wanted)
    np.testing.assert_allclose(stature_m(standing_poses * scale[:, None, None]), wanted, rtol=1e-5)


@given(lengths=LENGTHS, stature=st.none() | st.floats(0.4, 2.6))
def test_given_lengths_are_kept_and_directions_stay(
    standing_poses: np.ndarray, lengths: dict[str, float], stature: float | None
) -> None:
    poses = standing_poses[:8].astype(np.float64)
    resized, growth = with_bone_lengths(poses, KnownBody(stature_m=stature, bone_lengths_m=lengths))
    before, _ = bone_directions_and_lengths(poses, HUMAN36M17)
    after, _ = bone_directions_and_lengths(resized, HUMAN36M17)
    np.testing.assert_allclose(after, before, atol=1e-9)
    found = class_lengths_m(resized)
    for name, length in lengths.items():
        np.testing.assert_allclose(found[:, BONE_CLASSES.index(name)], length)
    others = [index for index, name in enumerate(BONE_CLASSES) if name not in lengths]
    ratio = found[:, others] / class_lengths_m(poses)[:, others]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape))
    np.testing.assert_array_equal(resized[:, 0], 0.0)
    assert (growth > 0).all()
    np.testing.assert_array_equal(growth[:, 0], 1.0)


def test_a_body_with_its_own_lengths_stays(poses: np.ndarray) -> None:
    symmetric, _ = with_bone_lengths(poses[:1], KnownBody(bone_lengths_m=dict.fromkeys(BONE_CLASSES, 0.25)))
    again, growth = with_bone_lengths(symmetric, KnownBody(bone_lengths_m={"knee": 0.25}))
    np.testing.assert_allclose(again, symmetric, atol=1e-12)
    np.testing.assert_allclose(growth, 1.0)


def test_torch_agrees(poses: np.ndarray) -> None:
    body = KnownBody(bone_lengths_m={"knee": 0.5, "wrist": 0.2})
    expected = with_bone_lengths(poses, body)
    found = with_bone_lengths(torch.from_numpy(poses), body)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-12)
    np.testing.assert_allclose(stature_m(torch.from_numpy(poses)).numpy(), stature_m(poses))
