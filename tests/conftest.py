"""Made-up people and made-up answers for every test that needs them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.kinematics import chain_matrix
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

_OFFSETS_M = {
    "r_hip": (-0.13, 0.0, 0.0), "r_knee": (0.0, -0.43, 0.03), "r_ankle": (0.0, -0.43, -0.05),
    "l_hip": (0.13, 0.0, 0.0), "l_knee": (0.0, -0.43, 0.03), "l_ankle": (0.0, -0.43, -0.05),
    "spine": (0.0, 0.23, 0.0), "thorax": (0.0, 0.25, 0.0), "neck_nose": (0.0, 0.1, 0.02), "head_top": (0.0, 0.11, 0.0),
    "l_shoulder": (0.17, -0.03, 0.0), "l_elbow": (0.05, -0.27, 0.0), "l_wrist": (0.03, -0.24, 0.05),
    "r_shoulder": (-0.17, -0.03, 0.0), "r_elbow": (-0.05, -0.27, 0.0), "r_wrist": (-0.03, -0.24, 0.05),
}  # fmt: skip
"""Bones of a person who stands and looks along z, metres, Y up."""


def _standing_poses(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    bones = np.array([_OFFSETS_M[HUMAN36M17.joint_names[child]] for _, child in HUMAN36M17.bones])
    bent = bones + 0.12 * np.linalg.norm(bones, axis=-1, keepdims=True) * rng.normal(size=(count, *bones.shape))
    return (chain_matrix(HUMAN36M17) @ bent).astype(np.float32)


@pytest.fixture(scope="session")
def standing_poses() -> np.ndarray:
    """(128, 17, 3) root-relative poses of people who stand about, metres, Y up."""
    return _standing_poses(128, seed=0)


@pytest.fixture(scope="session")
def motion_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small motion data file with the three splits."""
    splits = ("train", "validation", "test")
    poses = np.concatenate([_standing_poses(96, seed=seed) for seed in range(len(splits))])
    path = tmp_path_factory.mktemp("motion") / "motions.npz"
    np.savez(
        path,
        pose=poses + np.array([0.0, 0.95, 0.0], np.float32),
        valid=np.ones(len(poses), dtype=bool),
        seq_start=96 * np.arange(3),
        seq_len=np.full(3, 96),
        subject=np.array(["a", "b", "c"]),
        action=np.array(["stand", "stand", "stand"]),
        split=np.array(splits),
        joint_names=np.array(HUMAN36M17.joint_names),
    )
    return path


def _random_hypotheses(seed: int, rows: int = 3, num_hypotheses: int = 2) -> HypothesisSequence:
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(rows, num_hypotheses, 17, 3)).astype(np.float32)
    means[:, :, 0] = 0.0
    std = rng.uniform(0.05, 0.3, (rows, num_hypotheses, 17, 2)).astype(np.float32)
    std[:, :, 0] = 0.0
    return HypothesisSequence(
        means_m=means,
        std_m=std,
        view_rotation=Rotation.random(rows, rng=seed).as_matrix().astype(np.float32),
        mixing_coefficients=rng.dirichlet(np.ones(num_hypotheses), rows).astype(np.float32),
        root_translation_m=np.zeros((rows, num_hypotheses, 3), np.float32),
        reprojection_error_px=np.zeros((rows, num_hypotheses), np.float32),
        status=np.full(rows, "lifted"),
        keypoints_px=np.zeros((rows, 17, 2), np.float32),
        confidence=np.ones((rows, 17), np.float32),
        frame=np.arange(rows),
        person=np.zeros(rows, np.int64),
        intrinsics=np.broadcast_to(np.eye(3), (rows, 3, 3)),
        intrinsics_source="given",
        distortion=np.zeros(0),
        image_size=None,
        fps=None,
        source_skeleton="human36m17",
        model="test/1",
    )


@pytest.fixture(scope="session")
def random_hypotheses() -> Callable[..., HypothesisSequence]:
    """Makes hypotheses from a seed: `random_hypotheses(seed, rows=3, num_hypotheses=2)`."""
    return _random_hypotheses
