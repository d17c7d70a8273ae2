"""Training views: a varied body, filmed by a virtual camera, observed by a simulated detector."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pose_mdn.config import ViewConfig
from pose_mdn.data.bodies import BodySampler
from pose_mdn.data.cameras import film
from pose_mdn.data.detectors import detect


@dataclass(frozen=True, kw_only=True)
class ViewBatch:
    """Observed people with their truth.

    Attributes:
        slopes: (B, 17, 2) points on the plane z = 1 of the camera; 0 where missing.
        confidence: (B, 17); 0 where missing.
        pose_m: (B, 17, 3) true root-relative poses in the camera frame.
    """

    slopes: Tensor
    confidence: Tensor
    pose_m: Tensor


class ViewSampler:
    """An endless supply of views; seed and step alone determine a batch, so that any run can be resumed exactly.

    Args:
        pose_m: (N, 17, 3) motion data, metres, Y up.
        config: Variation of bodies, cameras and detectors.
        seed: Seed of the supply.
    """

    def __init__(self, pose_m: np.ndarray, config: ViewConfig, *, seed: int) -> None:
        self.bodies = BodySampler(pose_m, config.body)
        self.config = config
        self.seed = seed

    def batch(self, step: int, size: int) -> ViewBatch:
        """The batch of a step."""
        mixed = np.random.SeedSequence([self.seed, step]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
        joints = film(self.bodies.draw(size, generator), self.config.camera, generator)
        detection = detect(joints, self.config.detector, generator)
        return ViewBatch(slopes=detection.slopes, confidence=detection.confidence, pose_m=joints - joints[:, :1])
