from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence

CAMERA = Camera(intrinsics=np.array([[1100.0, 0.0, 640.0], [0.0, 1090.0, 360.0], [0.0, 0.0, 1.0]]))
IMAGE_SIZE = (1280, 720)


@pytest.fixture(scope="session")
def seen(standing_poses, random_hypotheses) -> Callable[..., HypothesisSequence]:
    """People before a camera: the first of three hypotheses is where they are, the others are turned about."""

    def make(*, rows: int = 24, camera: Camera = CAMERA, noise_px: float = 0.0, seed: int = 0) -> HypothesisSequence:
        rng = np.random.default_rng(seed)
        upright = standing_poses[:rows].astype(np.float64) * [1, -1, -1]
        turns = Rotation.from_euler("y", rng.uniform(-np.pi, np.pi, (rows, 3)).reshape(-1, 1)).as_matrix()
        means = np.einsum("nmij,nkj->nmki", turns.reshape(rows, 3, 3, 3), upright)
        root = np.stack([rng.uniform(-1, 1, rows), rng.uniform(-0.3, 0.3, rows), rng.uniform(3.5, 6.0, rows)], axis=-1)
        truth = camera.camera_to_world(means[:, 0] + root[:, None])
        points = camera.project(truth) + noise_px * rng.normal(size=(rows, 17, 2))
        made = random_hypotheses(seed, rows=rows, num_hypotheses=3)
        return replace(
            made,
            means_m=means.astype(np.float32),
            std_m=0.1 * made.std_m,
            root_translation_m=np.repeat(root[:, None], 3, axis=1).astype(np.float32),
            keypoints_px=points.astype(np.float32),
            intrinsics=np.broadcast_to(camera.intrinsics, (rows, 3, 3)),
            distortion=camera.distortion,
            lens_model=camera.lens_model,
            image_size=IMAGE_SIZE,
        )

    return make
