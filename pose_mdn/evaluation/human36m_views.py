"""Human3.6M's test: what a detector saw in the films, and where the joints truly were."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats.cameras.human36m import human36m_cameras
from pose_mdn.formats.motions.human36m_npz import (
    FPS,
    Human36mKeypoints,
    read_human36m_keypoints,
    read_human36m_positions,
)
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.keypoints import KeypointSequence

POSITIONS_FILE = "data_3d_h36m.npz"
KEYPOINTS_FILE = "data_2d_h36m_{detections}.npz"
DEFAULT_DETECTIONS = "cpn_ft_h36m_dbb"
"""Cascaded pyramid network, fine-tuned on the dataset: the detections that most papers lift."""
TEST_SUBJECTS = ("S9", "S11")


@dataclass(frozen=True, kw_only=True)
class Human36mViews:
    """All views of one action, the subactions together.

    Attributes:
        action: One of the 15, such as "Walking".
        keypoints: (N, J, 2) detections, freed of lens distortion by the cameras' calibration; intrinsics per row.
        pose_camera_m: (N, 17, 3) true joints, camera frame.
        subject: (N,) "S9" or "S11".
        camera: (N,) name of the camera.
    """

    action: str
    keypoints: KeypointSequence
    pose_camera_m: NDArray[np.float32]
    subject: NDArray[np.str_]
    camera: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.pose_camera_m)


@dataclass(frozen=True, kw_only=True)
class _Film:
    """One camera's view of one clip."""

    subject: str
    camera: Camera
    keypoints_px: NDArray[np.float32]
    pose_camera_m: NDArray[np.float32]


def human36m_views(
    folder: Path,
    *,
    detections: str = DEFAULT_DETECTIONS,
    subjects: Sequence[str] = TEST_SUBJECTS,
    stride: int = 1,
) -> list[Human36mViews]:
    """Read the benchmark's test views, all four cameras, action by action in alphabetical order.

    Clips are matched by subject and action. Detections that go on after the motion capture has ended are cut off; a
    clip that one file lacks is left out (the published files lack one: S11, "Directions").

    Args:
        folder: Where `data_3d_h36m.npz` and `data_2d_h36m_DETECTIONS.npz` lie.
        detections: Which 2D file, for example "cpn_ft_h36m_dbb", "gt" or "detectron_ft_h36m".
        subjects: Whose clips.
        stride: Take every so manieth frame of each clip; 1 is the benchmark.

    Raises:
        FormatError: A file is missing or of another kind, or the two have no clip in common.
        InputError: The stride is below 1, or a subject has no published calibration.
    """
    if stride < 1:
        raise InputError(f"stride: expected a whole number of at least 1, got {stride}", field="stride")
    positions = read_human36m_positions(folder / POSITIONS_FILE)
    seen = read_human36m_keypoints(folder / KEYPOINTS_FILE.format(detections=detections))
    films: dict[str, list[_Film]] = {}
    for subject in subjects:
        cameras = human36m_cameras(subject)
        for clip in sorted(positions.get(subject, {}).keys() & seen.keypoints_px.get(subject, {}).keys()):
            world = positions[subject][clip]
            for camera, pixels in zip(cameras, seen.keypoints_px[subject][clip], strict=True):
                films.setdefault(_action(clip), []).append(_film(subject, camera, world, pixels, stride))
    if not films:
        raise FormatError(
            f"{folder}: expected clips of {', '.join(subjects)} in both files, got none in common; "
            f"subjects of the positions: {', '.join(positions)}, of the detections: {', '.join(seen.keypoints_px)}"
        )
    return [_joined(action, films[action], seen) for action in sorted(films)]


def _action(clip: str) -> str:
    """The action of a clip: "Walking 1" is a take of "Walking". Older files write two actions otherwise."""
    name = clip.partition(" ")[0]
    return {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}.get(name, name)


def _film(
    subject: str, camera: Camera, world_m: NDArray[np.float32], keypoints_px: NDArray[np.float32], stride: int
) -> _Film:
    frames = slice(0, min(len(world_m), len(keypoints_px)), stride)
    return _Film(
        subject=subject,
        camera=camera,
        keypoints_px=camera.undistort_points(keypoints_px[frames]).astype(np.float32),
        pose_camera_m=camera.world_to_camera(world_m[frames]).astype(np.float32),
    )


def _joined(action: str, films: Sequence[_Film], seen: Human36mKeypoints) -> Human36mViews:
    lengths = [len(film.pose_camera_m) for film in films]
    pixels = np.concatenate([film.keypoints_px for film in films])
    return Human36mViews(
        action=action,
        keypoints=KeypointSequence(
            keypoints_px=pixels,
            confidence=np.isfinite(pixels).all(axis=-1).astype(np.float32),
            skeleton=seen.skeleton,
            frame=np.concatenate([np.arange(length) for length in lengths]),
            person=np.zeros(len(pixels), np.int64),
            fps=FPS,
            intrinsics=np.repeat([film.camera.intrinsics for film in films], lengths, axis=0),
        ),
        pose_camera_m=np.concatenate([film.pose_camera_m for film in films]),
        subject=np.repeat([film.subject for film in films], lengths),
        camera=np.repeat([film.camera.name for film in films], lengths),
    )
