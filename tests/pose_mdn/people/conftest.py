"""A room of people and cameras whose truth is known, and lifted views that a lifter might have given."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

INTRINSICS = np.array([[1000.0, 0.0, 959.5], [0.0, 1000.0, 539.5], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Rows of one camera, with who they are."""

    keypoints: KeypointSequence
    truth: np.ndarray


def people_who_cross(poses: np.ndarray, frames: int, fps: float, *, apart_m: float = 0.6) -> np.ndarray:
    """(P, T, 17, 3) people who go back and forth past each other, Y down; poses (P, 17, 3) Y up."""
    time_s = np.arange(frames) / fps
    number = np.arange(len(poses))
    x = 1.5 * np.sin(1.1 * time_s + 2.1 * number[:, None])
    z = np.broadcast_to((apart_m * (number - number.mean()))[:, None], x.shape)
    turned = poses * [1.0, -1.0, -1.0]
    return np.asarray(turned[:, None] + np.stack([x, np.zeros_like(x), z], axis=-1)[:, :, None])


def camera_at(angle: float, distance_m: float = 5.0) -> Camera:
    """A camera on a circle about the origin, at the height of the people's hips; the world has Y down."""
    centre = distance_m * np.array([np.sin(angle), -0.1, -np.cos(angle)])
    forward = -centre / np.linalg.norm(centre)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera(intrinsics=INTRINSICS, rotation=rotation, translation=-rotation @ centre, image_size=(1920, 1080))


def filmed(people_m: np.ndarray, camera: Camera, seed: int, *, fps: float = 30.0, missed: float = 0.1) -> Recording:
    """Noisy rows in shuffled order, some missing, numbered by their place."""
    rng = np.random.default_rng(seed)
    exact = camera.project(people_m)
    size = np.linalg.norm(np.ptp(exact, axis=2), axis=-1)[..., None, None]
    seen = exact + 0.012 * size * rng.normal(size=exact.shape)
    person, frame = np.nonzero(rng.random(seen.shape[:2]) >= missed)
    order = rng.permutation(len(person))
    person, frame = person[order], frame[order]
    keypoints = KeypointSequence(
        keypoints_px=seen[person, frame].astype(np.float32),
        confidence=np.ones((len(person), 17), np.float32),
        skeleton=HUMAN36M17,
        frame=frame,
        person=np.arange(len(person)) % len(people_m),
        fps=fps,
        intrinsics=camera.intrinsics,
        tracked=False,
    )
    return Recording(keypoints=keypoints, truth=person)


def lifted(recording: Recording, people_m: np.ndarray, camera: Camera, seed: int) -> HypothesisSequence:
    """Two hypotheses per row: the truth with errors along the line of sight, and its mirror image in depth."""
    rng = np.random.default_rng(seed)
    frame, count = recording.keypoints.frame, len(recording.truth)
    joints = camera.world_to_camera(people_m[recording.truth, frame])
    pose = joints - joints[:, :1]
    pose[..., 1:, 2] += 0.05 * rng.normal(size=(count, 16))
    means = np.stack([pose, pose * [1.0, 1.0, -1.0]], axis=1).astype(np.float32)
    std = np.tile(np.array([0.03, 0.08], np.float32), (count, 2, 17, 1))
    root = joints[:, 0] * np.exp(0.05 * rng.normal(size=(count, 1)))
    keypoints = recording.keypoints
    return HypothesisSequence(
        means_m=means,
        std_m=std,
        view_rotation=np.tile(np.eye(3, dtype=np.float32), (count, 1, 1)),
        mixing_coefficients=np.tile(np.array([0.7, 0.3], np.float32), (count, 1)),
        root_translation_m=np.stack([root, root], axis=1).astype(np.float32),
        reprojection_error_px=np.zeros((count, 2), np.float32),
        status=np.full(count, "lifted"),
        keypoints_px=keypoints.keypoints_px,
        confidence=keypoints.confidence,
        frame=frame,
        person=keypoints.person,
        intrinsics=np.tile(INTRINSICS, (count, 1, 1)),
        intrinsics_source="given",
        distortion=np.zeros(0),
        image_size=(1920, 1080),
        fps=keypoints.fps,
        source_skeleton="human36m17",
        model="test/1",
        tracked=False,
    )


@pytest.fixture(scope="session")
def crossing(standing_poses: np.ndarray) -> Callable[..., Recording]:
    """Makes a recording of people who cross: `crossing(people=3, frames=60, seed=0, fps=30.0)`."""

    def make(people: int = 3, frames: int = 60, seed: int = 0, fps: float = 30.0, missed: float = 0.1) -> Recording:
        crossers = people_who_cross(standing_poses[seed : seed + people], frames, fps)
        return filmed(crossers, camera_at(0.0), seed, fps=fps, missed=missed)

    return make


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Several views of one room."""

    cameras: list[Camera]
    views: list[HypothesisSequence]
    truth: list[np.ndarray]

    def with_known_people(self) -> "Scene":
        """With the true numbers in every view."""
        views = [replace(view, person=truth, tracked=True) for view, truth in zip(self.views, self.truth, strict=True)]
        return replace(self, views=views)


@pytest.fixture(scope="session")
def scene(standing_poses: np.ndarray) -> Callable[..., Scene]:
    """Makes a scene: `scene(people=3, cameras=3, frames=20, seed=0)`."""

    def make(people: int = 3, cameras: int = 3, frames: int = 20, seed: int = 0, missed: float = 0.1) -> Scene:
        crossers = people_who_cross(standing_poses[seed : seed + people], frames, 10.0)
        placed = [camera_at(0.3 + 1.1 * number) for number in range(cameras)]
        recordings = [filmed(crossers, camera, seed + 7 * n, missed=missed) for n, camera in enumerate(placed)]
        views = [
            lifted(recording, crossers, camera, seed + n)
            for n, (recording, camera) in enumerate(zip(recordings, placed, strict=True))
        ]
        return Scene(cameras=placed, views=views, truth=[recording.truth for recording in recordings])

    return make
