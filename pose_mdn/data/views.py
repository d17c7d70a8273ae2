"""Training views: a varied body, filmed by a virtual camera, observed by a simulated detector."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pose_mdn.config import ViewConfig
from pose_mdn.data.bodies import BodySampler
from pose_mdn.data.cameras import film
from pose_mdn.data.detectors import detect
from pose_mdn.data.pose_density import distinct_pose_weights
from pose_mdn.skeletons import HUMAN36M17

_THORAX = HUMAN36M17.index("thorax")
_UPSIDE_DOWN_SINE = 0.5


@dataclass(frozen=True, kw_only=True)
class ViewBatch:
    """Observed people with their truth.

    Attributes:
        slopes: (B, 17, 2) points on the plane z = 1 of the camera; 0 where missing.
        confidence: (B, 17); 0 where missing.
        pose_m: (B, 17, 3) true root-relative poses in the camera frame.
        is_usual: (B,) False for false detections, whose pose is another person's, and for people upside down.
    """

    slopes: Tensor
    confidence: Tensor
    pose_m: Tensor
    is_usual: Tensor

    @staticmethod
    def concatenate(batches: Sequence["ViewBatch"]) -> "ViewBatch":
        """One batch of several."""
        names = [field.name for field in dataclasses.fields(ViewBatch)]
        return ViewBatch(**{name: torch.cat([getattr(batch, name) for batch in batches]) for name in names})


class ViewSampler:
    """An endless supply of views; seed and step alone determine a batch, so that any run can be resumed exactly.

    Args:
        pose_m: (N, 17, 3) motion data, metres, Y up.
        config: Variation of bodies, cameras and detectors.
        seed: Seed of the supply.
    """

    def __init__(self, pose_m: np.ndarray, config: ViewConfig, *, seed: int) -> None:
        share = config.body.distinct_share
        weights = share * distinct_pose_weights(pose_m) + (1.0 - share) / len(pose_m)
        self.bodies = BodySampler(pose_m, config.body, weights)
        self.config = config
        self.seed = seed

    def batch(self, step: int, size: int) -> ViewBatch:
        """The batch of a step."""
        mixed = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
        joints = film(self.bodies.draw(size, generator), self.config.camera, generator)
        detection = detect(joints, self.config.detector, generator)
        pose = joints - joints[:, :1]
        # What is seen of no person tells nothing of the pose: any other one is as true.
        pose = torch.where(detection.is_person[:, None, None], pose, pose.roll(1, dims=0))
        return ViewBatch(
            slopes=detection.slopes,
            confidence=detection.confidence,
            pose_m=pose,
            is_usual=detection.is_person & ~_upside_down(joints),
        )


def _upside_down(joints_m: Tensor) -> Tensor:
    """(B,) whether the trunk of (B, 17, 3) camera-frame joints points down, by more than 30 degrees."""
    trunk = joints_m[:, _THORAX] - joints_m[:, 0]
    return trunk[:, 1] > _UPSIDE_DOWN_SINE * trunk.norm(dim=-1)
