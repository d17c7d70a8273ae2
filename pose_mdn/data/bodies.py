"""Bodies beyond those in the data, all of them possible: other limbs, other proportions, lying down.

Every change is made on bone directions and lengths, so that bones stay rigid and left and right stay equal.
"""

import math

import numpy as np
import torch
from torch import Tensor

from pose_mdn.config import BodyConfig
from pose_mdn.data.rotations import axis_angle_matrix, turn_about_vertical
from pose_mdn.geometry.kinematics import (
    bone_classes,
    bone_directions_and_lengths,
    chain_matrix,
    class_mean_matrix,
)
from pose_mdn.skeletons import HUMAN36M17

_CHAIN = torch.from_numpy(chain_matrix(HUMAN36M17))
_CLASSES, _CLASS_INDEX = bone_classes(HUMAN36M17)
_CLASS_MEANS = torch.from_numpy(class_mean_matrix(HUMAN36M17))


def _bone_to(joint: str) -> int:
    return [child for _, child in HUMAN36M17.bones].index(HUMAN36M17.index(joint))


_LEGS = [_bone_to(f"{side}_{joint}") for side in "lr" for joint in ("knee", "ankle")]
_ARMS = [_bone_to(f"{side}_{joint}") for side in "lr" for joint in ("elbow", "wrist")]
_GIRDLES = ((_LEGS, "l_hip", "r_hip"), (_ARMS, "l_shoulder", "r_shoulder"))


class BodySampler:
    """Draws varied bodies from a pool of poses.

    Args:
        pose_m: (N, 17, 3) poses, metres, Y up.
        config: How far bodies may vary.
    """

    def __init__(self, pose_m: np.ndarray, config: BodyConfig) -> None:
        poses = torch.from_numpy(np.ascontiguousarray(pose_m, dtype=np.float32))
        self.directions, self.lengths = bone_directions_and_lengths(poses, HUMAN36M17)
        self.girdle_yaw = {
            left: _yaw(poses[:, HUMAN36M17.index(left)] - poses[:, HUMAN36M17.index(right)])
            for _, left, right in _GIRDLES
        }
        self.config = config

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, 17, 3) root-relative poses, metres, Y up."""
        config = self.config
        index = torch.randint(len(self.directions), (count,), generator=generator)
        directions, lengths = self.directions[index], self.lengths[index]
        for bones, left, _ in _GIRDLES:
            directions = self._exchange(directions, index, bones, left, generator)
        jitter = config.direction_jitter_rad * torch.rand(count, 1, 1, generator=generator)
        directions = directions + jitter * torch.randn(directions.shape, generator=generator)
        directions = directions / directions.norm(dim=-1, keepdim=True)
        factors = torch.exp(config.bone_length_log_std * torch.randn(count, len(_CLASSES), generator=generator))
        scale = torch.empty(count, 1).uniform_(*config.body_scale, generator=generator)
        lengths = _symmetric(lengths) * factors[:, list(_CLASS_INDEX)] * scale
        return self._tumble(_CHAIN @ (directions * lengths[..., None]), generator)

    def _exchange(
        self, directions: Tensor, index: Tensor, bones: list[int], girdle: str, generator: torch.Generator
    ) -> Tensor:
        count = len(index)
        other = torch.randint(len(self.directions), (count,), generator=generator)
        yaw = self.girdle_yaw[girdle]
        limbs = turn_about_vertical(self.directions[other][:, bones], yaw[index] - yaw[other])
        chosen = torch.rand(count, 1, 1, generator=generator) < self.config.limb_exchange_probability
        exchanged = directions.clone()
        exchanged[:, bones] = torch.where(chosen, limbs, directions[:, bones])
        return exchanged

    def _tumble(self, pose_m: Tensor, generator: torch.Generator) -> Tensor:
        count = len(pose_m)
        heading = 2 * math.pi * torch.rand(count, generator=generator)
        axis = torch.stack([heading.cos(), torch.zeros(count), heading.sin()], dim=-1)
        angle = 0.5 * math.pi * torch.rand(count, generator=generator)
        chosen = torch.rand(count, generator=generator) < self.config.tumble_probability
        rotation = axis_angle_matrix(axis, torch.where(chosen, angle, 0.0))
        return pose_m @ rotation.mT


def _symmetric(lengths: Tensor) -> Tensor:
    """Give mirrored bones their mean length: measured left and right differ by marker placement, not by anatomy."""
    return (lengths @ _CLASS_MEANS.T)[:, list(_CLASS_INDEX)]


def _yaw(vector: Tensor) -> Tensor:
    return torch.atan2(vector[:, 2], vector[:, 0])
