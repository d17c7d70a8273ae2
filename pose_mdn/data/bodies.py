"""Bodies beyond those in the data, all of them possible: other limbs, other proportions, lying down, upside down.

Every change is made on bone directions and lengths, so that bones stay rigid and left and right stay equal. Limbs and
upper bodies are exchanged in the frame of the girdle that carries them, so that no joint bends as no body did.
"""

import math

import numpy as np
import torch
from torch import Tensor

from pose_mdn.config import BodyConfig
from pose_mdn.data.rotations import axis_angle_matrix
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
_BONE = {HUMAN36M17.joint_names[child]: bone for bone, (_, child) in enumerate(HUMAN36M17.bones)}

_HIPS = ("l_hip", "r_hip", "spine")
_SHOULDERS = ("l_shoulder", "r_shoulder", "thorax")
_LIMBS = [(_HIPS, [_BONE[f"{side}_knee"], _BONE[f"{side}_ankle"]]) for side in "lr"]
_LIMBS += [(_SHOULDERS, [_BONE[f"{side}_elbow"], _BONE[f"{side}_wrist"]]) for side in "lr"]
_ARMS = [f"{side}_{joint}" for side in "lr" for joint in ("shoulder", "elbow", "wrist")]
_UPPER_BODY = [_BONE[joint] for joint in ("spine", "thorax", "neck_nose", "head_top", *_ARMS)]
_LEAN_RAD = 0.35


class BodySampler:
    """Draws varied bodies from a pool of poses.

    Args:
        pose_m: (N, 17, 3) poses, metres, Y up.
        config: How far bodies may vary.
        weights: (N,) how often each pose is drawn; evenly if absent.
    """

    def __init__(self, pose_m: np.ndarray, config: BodyConfig, weights: np.ndarray | None = None) -> None:
        poses = torch.from_numpy(np.ascontiguousarray(pose_m, dtype=np.float32))
        self.directions, self.lengths = bone_directions_and_lengths(poses, HUMAN36M17)
        self.cumulative = None if weights is None else torch.from_numpy(np.cumsum(weights / weights.sum()))
        self.config = config

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, 17, 3) root-relative poses, metres, Y up."""
        config = self.config
        index = self._index(count, generator)
        directions = self._exchange_upper_body(self.directions[index], generator)
        for girdle, bones in _LIMBS:
            directions = self._exchange_limb(directions, girdle, bones, generator)
        jitter = config.direction_jitter_rad * torch.rand(count, 1, 1, generator=generator)
        directions = directions + jitter * torch.randn(directions.shape, generator=generator)
        directions = directions / directions.norm(dim=-1, keepdim=True)
        factors = torch.exp(config.bone_length_log_std * torch.randn(count, len(_CLASSES), generator=generator))
        scale = torch.empty(count, 1).uniform_(*config.body_scale, generator=generator)
        lengths = _symmetric(self.lengths[index]) * factors[:, list(_CLASS_INDEX)] * scale
        return self._tumble(_CHAIN @ (directions * lengths[..., None]), generator)

    def _index(self, count: int, generator: torch.Generator) -> Tensor:
        if self.cumulative is None:
            return torch.randint(len(self.directions), (count,), generator=generator)
        draw = torch.rand(count, generator=generator, dtype=torch.float64)
        return torch.searchsorted(self.cumulative, draw).clamp(max=len(self.directions) - 1)

    def _exchange_upper_body(self, directions: Tensor, generator: torch.Generator) -> Tensor:
        """Set another pose's upper body on these hips, with a little lean of its own."""
        count = len(directions)
        other = self.directions[self._index(count, generator)]
        yaw = _yaw(directions) - _yaw(other)
        axis = torch.randn(count, 3, generator=generator)
        axis = axis / axis.norm(dim=-1, keepdim=True)
        lean = axis_angle_matrix(axis, _LEAN_RAD * torch.rand(count, generator=generator))
        vertical = torch.tensor([[0.0, -1.0, 0.0]]).expand(count, 3)
        turned = other[:, _UPPER_BODY] @ (lean @ axis_angle_matrix(vertical, yaw)).mT
        return self._choose(directions, _UPPER_BODY, turned, self.config.upper_body_exchange_probability, generator)

    def _exchange_limb(
        self, directions: Tensor, girdle: tuple[str, str, str], bones: list[int], generator: torch.Generator
    ) -> Tensor:
        other = self.directions[self._index(len(directions), generator)]
        turned = other[:, bones] @ _girdle_frame(other, girdle) @ _girdle_frame(directions, girdle).mT
        return self._choose(directions, bones, turned, self.config.limb_exchange_probability, generator)

    def _choose(
        self, directions: Tensor, bones: list[int], exchanged: Tensor, probability: float, generator: torch.Generator
    ) -> Tensor:
        chosen = torch.rand(len(directions), 1, 1, generator=generator) < probability
        result = directions.clone()
        result[:, bones] = torch.where(chosen, exchanged, directions[:, bones])
        return result

    def _tumble(self, pose_m: Tensor, generator: torch.Generator) -> Tensor:
        count = len(pose_m)
        heading = 2 * math.pi * torch.rand(count, generator=generator)
        axis = torch.stack([heading.cos(), torch.zeros(count), heading.sin()], dim=-1)
        angle = math.pi * torch.rand(count, generator=generator)
        chosen = torch.rand(count, generator=generator) < self.config.tumble_probability
        rotation = axis_angle_matrix(axis, torch.where(chosen, angle, 0.0))
        return pose_m @ rotation.mT


def _symmetric(lengths: Tensor) -> Tensor:
    """Give mirrored bones their mean length: measured left and right differ by marker placement, not by anatomy."""
    return (lengths @ _CLASS_MEANS.T)[:, list(_CLASS_INDEX)]


def _girdle_frame(directions: Tensor, girdle: tuple[str, str, str]) -> Tensor:
    """(B, 3, 3) frames with columns left, up along the trunk and their cross product, of (B, 16, 3) directions."""
    left, right, trunk = (directions[:, _BONE[joint]] for joint in girdle)
    across = torch.nn.functional.normalize(left - right, dim=-1)
    up = torch.nn.functional.normalize(trunk - (trunk * across).sum(-1, keepdim=True) * across, dim=-1)
    return torch.stack([across, up, torch.linalg.cross(across, up)], dim=-1)


def _yaw(directions: Tensor) -> Tensor:
    """(B,) heading of the line from the right to the left hip."""
    across = directions[:, _BONE["l_hip"]] - directions[:, _BONE["r_hip"]]
    return torch.atan2(across[:, 2], across[:, 0])
