"""A person who sways before a camera, as a lifter would answer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from pose_mdn.poses.hypotheses import HypothesisSequence

INTRINSICS = np.array([[1000.0, 0.0, 640.0], [0.0, 1000.0, 360.0], [0.0, 0.0, 1.0]])
FPS = 30.0


@dataclass(frozen=True, kw_only=True)
class Swaying:
    """Hypotheses and the (N, 17, 3) true poses and (N, 3) pelvis places that they are about."""

    hypotheses: HypothesisSequence
    pose_m: np.ndarray
    root_m: np.ndarray


Sway = Callable[..., Swaying]


@pytest.fixture
def sway(standing_poses: np.ndarray) -> Sway:
    """`sway(rows=40, num_hypotheses=3, noise=0.02, seed=0, person=0)`: component 0 is right, the others are not."""

    def make(
        rows: int = 40, *, num_hypotheses: int = 3, noise: float = 0.02, seed: int = 0, person: int = 0
    ) -> Swaying:
        rng = np.random.default_rng(seed)
        start, end = (standing_poses[index] * [1.0, -1.0, -1.0] for index in (seed, seed + 1))
        moments = np.arange(rows) / FPS
        share = 0.5 + 0.5 * np.sin(2 * np.pi * 0.5 * moments)[:, None, None]
        pose = (1 - share) * start + share * end
        root = np.stack([0.3 * np.sin(moments), 0.1 * np.cos(moments), 4.0 + 0.2 * moments], axis=-1)
        other = 0.4 * rng.normal(size=(num_hypotheses, 17, 3))
        other[0] = 0.0
        means = pose[:, None] + other + noise * rng.normal(size=(rows, num_hypotheses, 17, 3))
        means[:, :, 0] = 0.0
        std = np.full((rows, num_hypotheses, 17, 2), max(noise, 0.01))
        std[:, :, 0] = 0.0
        pixels = (pose + root[:, None]) @ INTRINSICS.T
        pixels = pixels[..., :2] / pixels[..., 2:] + 100 * noise * rng.normal(size=(rows, 17, 2))
        hypotheses = HypothesisSequence(
            means_m=means.astype(np.float32),
            std_m=std.astype(np.float32),
            view_rotation=np.repeat(np.eye(3, dtype=np.float32)[None], rows, axis=0),
            mixing_coefficients=rng.dirichlet(5 * np.ones(num_hypotheses), rows).astype(np.float32),
            root_translation_m=np.repeat(root[:, None], num_hypotheses, axis=1).astype(np.float32),
            reprojection_error_px=np.ones((rows, num_hypotheses), np.float32),
            status=np.full(rows, "lifted", "<U22"),
            keypoints_px=pixels.astype(np.float32),
            confidence=np.ones((rows, 17), np.float32),
            frame=np.arange(rows),
            person=np.full(rows, person),
            intrinsics=np.repeat(INTRINSICS[None], rows, axis=0),
            intrinsics_source="given",
            distortion=np.zeros(0),
            image_size=(1280, 720),
            fps=FPS,
            source_skeleton="human36m17",
            model="test/1",
        )
        return Swaying(hypotheses=hypotheses, pose_m=pose, root_m=root)

    return make
