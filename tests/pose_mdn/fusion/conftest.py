from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.canonical_view import rotation_to_axis
from pose_mdn.poses.hypotheses import HypothesisSequence


@dataclass(frozen=True, kw_only=True)
class Scene:
    """People, cameras around them, and what a perfect detector and a fair lifter make of it."""

    cameras: dict[str, Camera]
    views: dict[str, HypothesisSequence]
    truth: np.ndarray

    def error_m(self, joints: np.ndarray) -> np.ndarray:
        """(N,) mean distance of (N, 17, 3) joints in the world."""
        return np.linalg.norm(joints - self.truth, axis=-1).mean(axis=-1)


def camera_around(azimuth: float, height: float, distance: float, name: str) -> Camera:
    center = np.array([distance * np.cos(azimuth), distance * np.sin(azimuth), height])
    forward = np.array([0.0, 0.0, 1.0]) - center
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera(
        intrinsics=np.array([[1200.0, 0, 960], [0, 1190, 540], [0, 0, 1]]),
        distortion=[-0.08, 0.02, 0.001, -0.001],
        rotation=rotation,
        translation=-rotation @ center,
        image_size=(1920, 1080),
        name=name,
    )


def lifted(made: HypothesisSequence, camera: Camera, truth: np.ndarray, depth_std: float) -> HypothesisSequence:
    """Three hypotheses that err in depth alone, more in each, with stated deviations that are right for the first."""
    rng = np.random.default_rng(int(1000 * abs(camera.optical_center[0])))
    joints = camera.world_to_camera(truth)
    root = joints[:, 0]
    ray = root / np.linalg.norm(root, axis=-1, keepdims=True)
    error = depth_std * rng.normal(size=(len(truth), 3, 17, 1)) * np.array([1.0, 3.0, 6.0])[:, None, None]
    error[:, :, 0] = 0.0
    means = (joints - root[:, None])[:, None] + error * ray[:, None, None]
    std = np.broadcast_to([0.02, max(depth_std, 0.02)], (len(truth), 3, 17, 2)).copy()
    std[:, :, 0] = 0.0
    return replace(
        made,
        means_m=means.astype(np.float32),
        std_m=std.astype(np.float32),
        view_rotation=rotation_to_axis(ray).mT.astype(np.float32),
        mixing_coefficients=np.tile(np.float32([0.5, 0.3, 0.2]), (len(truth), 1)),
        root_translation_m=np.repeat(root[:, None], 3, axis=1).astype(np.float32),
        keypoints_px=camera.project(truth).astype(np.float32),
        intrinsics=np.tile(camera.intrinsics, (len(truth), 1, 1)),
        distortion=camera.distortion,
        image_size=camera.image_size,
        fps=30.0,
    )


@pytest.fixture(scope="session")
def scene(standing_poses, random_hypotheses) -> Callable[..., Scene]:
    def make(views: int = 4, rows: int = 10, depth_std: float = 0.06) -> Scene:
        truth = standing_poses[:rows].astype(np.float64)[..., [0, 2, 1]] * [1, -1, 1] + [0.2, -0.1, 0.95]
        cameras = {
            f"cam{number}": camera_around(
                0.4 + 1.1 * number, 1.0 + 0.3 * (number % 3), 3.5 + 0.3 * number, f"cam{number}"
            )
            for number in range(views)
        }
        made = random_hypotheses(0, rows=rows, num_hypotheses=3)
        seen = {name: lifted(made, camera, truth, depth_std) for name, camera in cameras.items()}
        return Scene(cameras=cameras, views=seen, truth=truth)

    return make
