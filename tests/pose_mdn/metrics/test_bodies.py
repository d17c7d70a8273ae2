import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pose_mdn import metrics
from pose_mdn.geometry.kinematics import bone_vectors, chain_matrix
from pose_mdn.skeletons import HUMAN36M17


@pytest.fixture
def rigid_clip(standing_poses):
    """(2, 30, 17, 3) two people with rigid bones, who move."""
    bones = bone_vectors(standing_poses[:60].reshape(2, 30, 17, 3), HUMAN36M17)
    lengths = np.linalg.norm(bones[:, :1], axis=-1, keepdims=True)
    return chain_matrix(HUMAN36M17) @ (bones / np.linalg.norm(bones, axis=-1, keepdims=True) * lengths)


def test_rigid_bodies_are_consistent_and_growing_ones_are_not(rigid_clip):
    np.testing.assert_allclose(metrics.mpsce_mm(rigid_clip), 0.0, atol=1e-3)
    factor = np.linspace(0.9, 1.1, 30)[:, None, None]
    lengths = np.linalg.norm(bone_vectors(rigid_clip[:, 0], HUMAN36M17), axis=-1)
    expected = 1000 * lengths.mean(axis=-1) * np.std(factor)
    np.testing.assert_allclose(metrics.mpsce_mm(factor * rigid_clip), expected, rtol=1e-3)


def test_turning_each_frame_changes_no_length(rigid_clip):
    turned = rigid_clip @ Rotation.random(30, rng=0).as_matrix().astype(np.float32)
    np.testing.assert_allclose(metrics.mpsce_mm(turned), 0.0, atol=1e-3)


def test_torch_agrees(rigid_clip):
    jittered = rigid_clip + 0.01 * np.random.default_rng(0).normal(size=rigid_clip.shape)
    np.testing.assert_allclose(metrics.mpsce_mm(torch.from_numpy(jittered)).numpy(), metrics.mpsce_mm(jittered))


def test_runs_are_consecutive_frames_of_one_person():
    frame = np.array([3, 0, 1, 2, 0, 1, 7, 9, 10, 4])
    person = np.array([0, 0, 0, 0, 1, 1, 1, 0, 0, 1])
    runs = [rows.tolist() for rows in metrics.consecutive_runs(frame, person)]
    assert runs == [[1, 2, 3, 0], [7, 8], [4, 5]]
    assert metrics.consecutive_runs(np.array([5]), np.array([0])) == []
