"""Clips of motions through virtual cameras of many focal lengths, for the benchmarks of focal length and of scale.

A clip is one person before one camera that stands still. The focal length is drawn from the prior of
`pose_mdn.geometry.focal_length`, the person's size in the picture independently of it, and the distance follows from
both; so neither the size in the picture nor the place tells the focal length by itself. The noise of the keypoints is
1.2 % of the person's size with 3 % heavy tails. A third of its variance is drawn anew in every frame, a third lasts for
about ten, and a third is one offset per joint for the whole clip, since detectors have their own idea of where a joint
is: independent noise would average out over a clip, and promise more than real keypoints keep.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.data.motion_file import MotionRecord, read_motion_file
from pose_mdn.geometry.body import BONE_CLASSES, KnownBody
from pose_mdn.geometry.field_of_view import centred_intrinsics
from pose_mdn.geometry.focal_length import PRIOR_FOCAL_PER_DIAGONAL, PRIOR_LOG_STD
from pose_mdn.geometry.known_body import class_lengths_m, with_bone_lengths
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

FRAMES_PER_CLIP = 40
"""Four seconds."""
STRIDE = 3
"""Every third frame of 30 per second: neighbours add little."""
PERSISTENCE = 0.9
"""Correlation of the lasting third of the noise from one frame of the clip to the next."""
SMALLEST, LARGEST = 0.2, 0.85
"""The standing person's height in parts of the picture's."""


@dataclass(frozen=True, kw_only=True)
class FilmedClip:
    """One person before one camera.

    Attributes:
        keypoints: T rows, without intrinsics.
        joints_m: (T, 17, 3) true joints, camera frame.
        focal_px: Of the camera.
        up: (3,) upwards, in the camera frame.
        camera_height_m: Of the camera above the ground; the lowest ankle of the clip is taken for 3.9 % of the stature
            high.
        height_in_picture: The standing person's height in parts of the picture's.
        subject: Who moved.
    """

    keypoints: KeypointSequence
    joints_m: NDArray[np.float64]
    focal_px: float
    up: NDArray[np.float64]
    camera_height_m: float
    height_in_picture: float
    subject: str

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """(3, 3) true pinhole matrix."""
        assert self.keypoints.image_size is not None
        return centred_intrinsics(self.keypoints.image_size, self.focal_px)


def film_clips(
    motions: Path,
    split: str,
    *,
    count: int,
    frames: int,
    noise: float = 0.012,
    seed: int = 0,
    bone_log_std: float = 0.0,
) -> list[FilmedClip]:
    """Film that many clips of a split's subjects, each motion about as often as any other.

    With `bone_log_std` every clip is of a body of its own, whose bones are longer or shorter by about this.
    """
    long_enough = [
        record
        for record in read_motion_file(motions)
        if record.split == split and record.valid.all() and len(record.pose_m) >= frames * STRIDE
    ]
    rng = np.random.default_rng(seed)
    clips: list[FilmedClip] = []
    while len(clips) < count:
        clip = _film(long_enough[rng.integers(len(long_enough))], frames, noise, bone_log_std, rng)
        if clip is not None:
            clips.append(clip)
    return clips


def _film(
    record: MotionRecord, frames: int, noise: float, bone_log_std: float, rng: np.random.Generator
) -> FilmedClip | None:
    """A clip of a motion; `None` if the person leaves the picture too often."""
    start = rng.integers(len(record.pose_m) - frames * STRIDE + 1)
    world = record.pose_m[start : start + frames * STRIDE : STRIDE].astype(np.float64)
    if bone_log_std:
        world = _of_another_body(world, bone_log_std, rng)
    stature = np.ptp(world[:, :, 1], axis=1).max()
    size = (1920, 1080) if rng.random() < 0.7 else (1080, 1920)
    focal_per_diagonal = PRIOR_FOCAL_PER_DIAGONAL * np.exp(PRIOR_LOG_STD * np.clip(rng.normal(), -2, 2))
    focal_px = focal_per_diagonal * float(np.hypot(*size))
    height = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    distance = focal_px * stature / (height * size[1])
    if not 1.0 <= distance <= 40.0:
        return None
    turned = _turned(world - world[:, :1].mean(axis=0), rng.uniform(-np.pi, np.pi))
    pitch, roll = rng.uniform(-0.1, 0.6), 0.03 * rng.normal()
    tilt = _about_z(roll) @ _about_x(pitch)
    place = rng.uniform(-0.25, 0.25, size=2) * size / focal_px
    ray = np.array([*place, 1.0])
    joints = turned * [1.0, -1.0, -1.0] @ tilt.T + distance * ray
    up = tilt @ [0.0, -1.0, 0.0]
    if joints[..., 2].min() < 0.3:
        return None
    pixels = focal_px * joints[..., :2] / joints[..., 2:] + (np.array(size) - 1) / 2
    inside = ((pixels > 0) & (pixels < np.array(size) - 1)).all(axis=(1, 2))
    if inside.mean() < 0.85:
        return None
    ground = np.percentile((joints @ up)[:, _ANKLES].min(axis=1), 2) - 0.039 * stature
    return FilmedClip(
        keypoints=_detected(pixels, size, noise, rng),
        joints_m=joints,
        focal_px=focal_px,
        up=up,
        camera_height_m=-float(ground),
        height_in_picture=float(height),
        subject=record.subject,
    )


def _of_another_body(pose: NDArray[np.float64], log_std: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """The motion of someone with other bone lengths, standing on the same ground."""
    lengths = np.median(class_lengths_m(pose), axis=0) * np.exp(log_std * rng.standard_normal(len(BONE_CLASSES)))
    body = KnownBody(bone_lengths_m=dict(zip(BONE_CLASSES, lengths.tolist(), strict=True)))
    changed = with_bone_lengths(pose - pose[:, :1], body)[0] + pose[:, :1]
    drop = changed[:, _ANKLES, 1].min(axis=1) - pose[:, _ANKLES, 1].min(axis=1)
    return np.asarray(changed - drop[:, None, None] * [0.0, 1.0, 0.0])


_ANKLES = [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")]


def _detected(
    pixels: NDArray[np.float64], size: tuple[int, int], noise: float, rng: np.random.Generator
) -> KeypointSequence:
    frames = len(pixels)
    lasting, white = np.empty_like(pixels), rng.standard_normal(pixels.shape)
    lasting[0] = rng.standard_normal(pixels.shape[1:])
    for row in range(1, frames):
        fresh = rng.standard_normal(pixels.shape[1:])
        lasting[row] = PERSISTENCE * lasting[row - 1] + np.sqrt(1 - PERSISTENCE**2) * fresh
    heavy = np.where(rng.random(pixels.shape[:2]) < 0.03, 6.0, 1.0)[..., None]
    extent = np.linalg.norm(np.ptp(pixels, axis=1), axis=-1)[:, None, None]
    offset = rng.standard_normal(pixels.shape[1:])
    seen = pixels + noise * extent * (heavy * (white + lasting) + offset) / np.sqrt(3)
    return KeypointSequence(
        keypoints_px=seen.astype(np.float32),
        confidence=np.ones(pixels.shape[:2], np.float32),
        skeleton=HUMAN36M17,
        frame=STRIDE * np.arange(frames),
        person=np.zeros(frames, np.int64),
        image_size=size,
        fps=30.0,
    )


def _turned(points: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]]).T


def _about_x(angle: float) -> NDArray[np.float64]:
    """A camera that looks down by this angle sees a level person from above: the person's head comes nearer."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _about_z(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
