from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.canonical_view import rotation_to_axis
from pose_mdn.poses.hypotheses import HypothesisSequence

CAMERA = Camera(intrinsics=np.array([[1100.0, 0.0, 640.0], [0.0, 1100.0, 360.0], [0.0, 0.0, 1.0]]))


@pytest.fixture(scope="session")
def lifted(standing_poses, random_hypotheses) -> Callable[..., HypothesisSequence]:
    """People before a camera, and three hypotheses of each that are off by what their standard deviations say."""

    def make(
        *, rows: int = 12, camera: Camera = CAMERA, noise_px: float = 0.0, spread: float = 1.0, seed: int = 0
    ) -> HypothesisSequence:
        rng = np.random.default_rng(seed)
        turns = Rotation.from_euler("y", rng.uniform(-np.pi, np.pi, rows)[:, None]).as_matrix()
        truth = np.einsum("nij,nkj->nki", turns, standing_poses[:rows].astype(np.float64) * [1, -1, -1])
        root = np.stack([rng.uniform(-1, 1, rows), rng.uniform(-0.3, 0.3, rows), rng.uniform(3.5, 6.0, rows)], axis=-1)
        view = np.swapaxes(rotation_to_axis(root / np.linalg.norm(root, axis=-1, keepdims=True)), -1, -2)
        std = np.broadcast_to([0.015, 0.04], (rows, 3, 17, 2)) * rng.uniform(0.5, 2.0, (rows, 3, 17, 1))
        std[:, :, 0] = 0.0
        off = spread * std[..., [0, 0, 1]] * rng.normal(size=(rows, 3, 17, 3))
        means = truth[:, None] + off @ np.swapaxes(view, -1, -2)[:, None]
        points = camera.project(truth + root[:, None]) + noise_px * rng.normal(size=(rows, 17, 2))
        return replace(
            random_hypotheses(seed, rows=rows, num_hypotheses=3),
            means_m=means.astype(np.float32),
            std_m=std.astype(np.float32),
            view_rotation=view.astype(np.float32),
            root_translation_m=(root[:, None] + 0.05 * spread * rng.normal(size=(rows, 3, 3))).astype(np.float32),
            keypoints_px=points.astype(np.float32),
            intrinsics=np.broadcast_to(camera.intrinsics, (rows, 3, 3)),
            distortion=camera.distortion,
            lens_model=camera.lens_model,
        )

    return make
