"""Views of a split's subjects through virtual cameras: the rows of the standard table, with truth and actions.

The yardstick stands still: cameras and noise are fixed here and do not follow what training learns from.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pose_mdn.config import CameraConfig, DetectorConfig
from pose_mdn.data.cameras import film
from pose_mdn.data.detectors import detect
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.pose_density import distinct_pose_weights
from pose_mdn.geometry.pinhole import slopes_to_pixels
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import BLAZEPOSE33, BODY25, COCO17, HUMAN36M17, Skeleton, mapping_table

_CAMERA = CameraConfig(pitch_rad=(-0.20, 0.75), roll_std_rad=0.06, distance_m=(2.0, 9.0), off_centre_rad=0.35)
_INTRINSICS = np.array([[1145.0, 0.0, 500.0], [0.0, 1145.0, 500.0], [0.0, 0.0, 1.0]])
_NOISE = 0.016
"""Standard deviation in parts of the bounding box's diagonal."""
_OUTLIER_PROBABILITY = 0.03
_OUTLIER_FACTOR = 6.0
_LIMB_JOINTS = [f"{side}_{joint}" for side in "lr" for joint in ("knee", "ankle", "elbow", "wrist")]
"""The joints that Li and Lee hide."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One row of the table: how people are seen.

    Attributes:
        name: Row of the table.
        noisy: Whether keypoints have noise.
        num_missing: How many of the eight limb joints are hidden.
        skeleton: The detector's layout.
    """

    name: str
    noisy: bool = True
    num_missing: int = 0
    skeleton: Skeleton = HUMAN36M17


OBSERVATIONS = (
    Observation(name="clean", noisy=False),
    Observation(name="noisy"),
    Observation(name="one_missing", num_missing=1),
    Observation(name="two_missing", num_missing=2),
    Observation(name="four_missing", num_missing=4),
    Observation(name="coco17", skeleton=COCO17),
    Observation(name="body25", skeleton=BODY25),
    Observation(name="blazepose33", skeleton=BLAZEPOSE33),
)
"""The rows of the standard table. Layouts other than Human3.6M-17 are noisy, with no joint of theirs missing."""


@dataclass(frozen=True, kw_only=True)
class VirtualViews:
    """Observed people whose truth is known.

    Attributes:
        name: Row of the table.
        keypoints: N observations in the row's layout.
        pose_camera_m: (N, 17, 3) true joints, camera frame.
        action: (N,) what people did.
    """

    name: str
    keypoints: KeypointSequence
    pose_camera_m: NDArray[np.float32]
    action: NDArray[np.str_]


def virtual_views(data: Path, split: str, *, count: int, seed: int, balanced: bool = False) -> list[VirtualViews]:
    """Film poses of a split and observe them in every way of `OBSERVATIONS`.

    Args:
        data: Motion data file.
        split: "train", "validation" or "test".
        count: Views per row.
        seed: Seed of poses, cameras and noise.
        balanced: Draw poses evenly over distinct poses instead of evenly over frames, most of which are walking.
    """
    motion = read_motion_data(data, split)
    rng = np.random.default_rng(seed)
    if balanced:
        index = rng.choice(len(motion), size=count, p=distinct_pose_weights(motion.pose_m))
    else:
        index = rng.choice(len(motion), size=count, replace=count > len(motion))
    index = np.sort(index)
    generator = torch.Generator().manual_seed(seed)
    poses = torch.from_numpy(motion.pose_m[index])
    joints = film(poses - poses[:, :1], _CAMERA, generator)
    return [
        VirtualViews(
            name=observation.name,
            keypoints=_observe(joints, observation, rng, generator),
            pose_camera_m=joints.numpy(),
            action=motion.action[index],
        )
        for observation in OBSERVATIONS
    ]


def _observe(
    joints: torch.Tensor, observation: Observation, rng: np.random.Generator, generator: torch.Generator
) -> KeypointSequence:
    skeleton = observation.skeleton
    slopes = _in_layout(_exact_slopes(joints, skeleton, generator), skeleton)
    seen = np.asarray(np.isfinite(slopes).all(axis=-1))
    if observation.noisy:
        slopes = slopes + _noise(slopes, rng)
    count = len(slopes)
    limb_joints = np.array([skeleton.index(joint) for joint in _LIMB_JOINTS])
    hidden = limb_joints[rng.random((count, len(limb_joints))).argsort(axis=1)[:, : observation.num_missing]]
    seen[np.arange(count)[:, None], hidden] = False
    pixels = np.asarray(slopes_to_pixels(slopes, _INTRINSICS))
    return KeypointSequence(
        keypoints_px=np.where(seen[..., None], pixels, np.nan).astype(np.float32),
        confidence=seen.astype(np.float32),
        skeleton=skeleton,
        frame=np.arange(count),
        person=np.zeros(count, dtype=np.int64),
        intrinsics=_INTRINSICS,
    )


def _exact_slopes(joints: torch.Tensor, skeleton: Skeleton, generator: torch.Generator) -> NDArray[np.float64]:
    """(N, 17, 2) where a layout's joints are: a nose for a neck, middles of hips and shoulders."""
    layouts = (1.0, 0.0, 0.0, 0.0) if skeleton is HUMAN36M17 else (0.0, 1.0, 0.0, 0.0)
    exact = DetectorConfig.exact(layout_weights=layouts)
    return detect(joints, exact, generator).slopes.double().numpy()


def _in_layout(slopes: NDArray[np.float64], skeleton: Skeleton) -> NDArray[np.float64]:
    """(N, J, 2) keypoints of which the mapping makes (N, 17, 2) slopes again; NaN for other joints."""
    keypoints = np.full((len(slopes), skeleton.num_joints, 2), np.nan)
    for target, sources in mapping_table(skeleton).items():
        if len(sources) == 1:
            (source,) = sources
            keypoints[:, skeleton.index(source)] = slopes[:, HUMAN36M17.index(target)]
    return keypoints


def _noise(slopes: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    size = np.linalg.norm(np.nanmax(slopes, axis=1) - np.nanmin(slopes, axis=1), axis=-1)
    outlier = rng.random(slopes.shape[:2]) < _OUTLIER_PROBABILITY
    std = _NOISE * size[:, None] * np.where(outlier, _OUTLIER_FACTOR, 1.0)
    noise: NDArray[np.float64] = std[..., None] * rng.standard_normal(slopes.shape)
    return noise
