import numpy as np
import roma
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.procrustes import procrustes_align

seeds = st.integers(0, 2**32 - 1)


def _poses(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, 17, 3)), rng.normal(size=(3, 17, 3))


@given(seeds, st.floats(0.2, 5.0))
def test_a_similar_pose_aligns_perfectly(seed, scale):
    pose, _ = _poses(seed)
    rotation = Rotation.random(3, rng=seed).as_matrix()
    moved = scale * pose @ rotation.swapaxes(-1, -2) + np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(procrustes_align(moved, pose), pose, atol=1e-9)


@given(seeds)
def test_alignment_never_increases_the_squared_distance(seed):
    pose, target = _poses(seed)
    before = ((pose - pose.mean(1, keepdims=True) - target + target.mean(1, keepdims=True)) ** 2).sum((1, 2))
    after = ((procrustes_align(pose, target) - target) ** 2).sum((1, 2))
    assert (after <= before + 1e-9).all()


@given(seeds)
def test_equals_roma(seed):
    pose, target = _poses(seed)
    rotation, translation, scale = roma.rigid_points_registration(
        torch.from_numpy(pose), torch.from_numpy(target), compute_scaling=True
    )
    expected = scale[:, None, None] * (torch.from_numpy(pose) @ rotation.mT) + translation[:, None]
    np.testing.assert_allclose(procrustes_align(pose, target), expected.numpy(), atol=1e-9)


def test_a_mirrored_pose_does_not_align():
    pose, _ = _poses(5)
    mirrored = pose * np.array([-1.0, 1.0, 1.0])
    assert np.abs(procrustes_align(mirrored, pose) - pose).max() > 0.1


def test_coinciding_joints_move_to_the_centroid():
    _, target = _poses(6)
    aligned = procrustes_align(np.zeros((3, 17, 3)), target)
    np.testing.assert_allclose(aligned, np.broadcast_to(target.mean(1, keepdims=True), target.shape))
