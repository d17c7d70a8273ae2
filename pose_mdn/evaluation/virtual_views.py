"""Views of a split's subjects through virtual cameras: the rows of the standard table, with truth and actions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pose_mdn.config import CameraConfig, DetectorConfig
from pose_mdn.data.cameras import film
from pose_mdn.data.detectors import detect
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.geometry.pinhole import slopes_to_pixels
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17

_INTRINSICS = np.array([[1145.0, 0.0, 500.0], [0.0, 1145.0, 500.0], [0.0, 0.0, 1.0]])
_NOISE = 0.016
"""Standard deviation in parts of the bounding box's diagonal, with 3 % of the joints six times as noisy."""
_LIMB_JOINTS = [HUMAN36M17.index(f"{side}_{joint}") for side in "lr" for joint in ("knee", "ankle", "elbow", "wrist")]
"""The joints that Li and Lee hide."""


@dataclass(frozen=True, kw_only=True)
class VirtualViews:
    """Observed people whose truth is known.

    Attributes:
        name: Row of the table.
        keypoints: (N, 17, 2) observations in Human3.6M-17.
        pose_camera_m: (N, 17, 3) true joints, camera frame.
        action: (N,) what people did.
    """

    name: str
    keypoints: KeypointSequence
    pose_camera_m: NDArray[np.float32]
    action: NDArray[np.str_]


def virtual_views(data: Path, split: str, *, count: int, seed: int) -> list[VirtualViews]:
    """Clean, noisy, one-missing and two-missing views of poses drawn evenly from a split.

    Args:
        data: Motion data file.
        split: "train", "validation" or "test".
        count: Views per row.
        seed: Seed of poses, cameras and noise.
    """
    motion = read_motion_data(data, split)
    index = np.sort(np.random.default_rng(seed).choice(len(motion), size=count, replace=count > len(motion)))
    generator = torch.Generator().manual_seed(seed)
    poses = torch.from_numpy(motion.pose_m[index])
    joints = film(poses - poses[:, :1], CameraConfig(), generator)
    truth, action = joints.numpy(), motion.action[index]
    return [
        VirtualViews(
            name=name, keypoints=_observe(joints, noisy, missing, generator), pose_camera_m=truth, action=action
        )
        for name, noisy, missing in (
            ("clean", False, 0),
            ("noisy", True, 0),
            ("one_missing", True, 1),
            ("two_missing", True, 2),
        )
    ]


def _observe(joints: torch.Tensor, noisy: bool, missing: int, generator: torch.Generator) -> KeypointSequence:
    detector = DetectorConfig(
        clean_probability=0.0 if noisy else 1.0,
        noise=(_NOISE, _NOISE),
        graded_confidence_probability=0.0,
        missing_probability=0.0,
        pelvis_between_hips_probability=0.0,
        layout_weights=(1.0, 0.0, 0.0, 0.0),
    )
    count = len(joints)
    detection = detect(joints, detector, generator)
    pixels = slopes_to_pixels(detection.slopes.double().numpy(), _INTRINSICS).astype(np.float32)
    confidence = detection.confidence.numpy().copy()
    order = torch.rand(count, len(_LIMB_JOINTS), generator=generator).argsort(dim=1)[:, :missing].numpy()
    hidden = np.array(_LIMB_JOINTS)[order]
    rows = np.arange(count)[:, None]
    confidence[rows, hidden], pixels[rows, hidden] = 0.0, np.nan
    return KeypointSequence(
        keypoints_px=pixels,
        confidence=confidence,
        skeleton=HUMAN36M17,
        frame=np.arange(count),
        person=np.zeros(count, dtype=np.int64),
        intrinsics=_INTRINSICS,
    )
