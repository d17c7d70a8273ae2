"""Virtual cameras around a person."""

import math

import torch
from torch import Tensor

from pose_mdn.config import CameraConfig
from pose_mdn.data.rotations import axis_angle_matrix, turn_about_vertical
from pose_mdn.skeletons import HUMAN36M17

_NEAREST_JOINT_M = 0.3


def film(pose_m: Tensor, config: CameraConfig, generator: torch.Generator) -> Tensor:
    """Film root-relative bodies.

    Args:
        pose_m: (B, 17, 3) root-relative poses, metres, world axes with Y up.
        config: Where cameras stand.
        generator: Source of randomness.

    Returns:
        (B, 17, 3) joints in each camera's frame (x right, y down, z forward), metres; mirrored half of the time.
    """
    count = len(pose_m)

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count).uniform_(low, high, generator=generator)

    turned = turn_about_vertical(pose_m, uniform(-math.pi, math.pi))
    mirrored = torch.rand(count, 1, 1, generator=generator) < 0.5
    turned = torch.where(mirrored, mirror(turned), turned)
    # World with Y up to a level camera with y down: half a turn about x.
    level = turned * torch.tensor([1.0, -1.0, -1.0])
    wild = torch.rand(count, generator=generator) < 0.1
    roll = config.roll_std_rad * torch.where(wild, 5.0, 1.0) * torch.randn(count, generator=generator)
    pitch = uniform(*config.pitch_rad)
    across, along = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    tilt = axis_angle_matrix(along.expand(count, 3), roll) @ axis_angle_matrix(across.expand(count, 3), pitch)
    distance = torch.exp(uniform(math.log(config.distance_m[0]), math.log(config.distance_m[1])))
    bearing, height = uniform(0.0, 2 * math.pi), config.off_centre_rad * uniform(0.0, 1.0).sqrt()
    ray = torch.stack([height.sin() * bearing.cos(), height.sin() * bearing.sin(), height.cos()], dim=-1)
    joints = level @ tilt.mT + (distance[:, None] * ray)[:, None]
    # A limb that reaches behind a near camera would project to nonsense: step back.
    too_near = (_NEAREST_JOINT_M - joints[..., 2].amin(dim=1)).clamp(min=0.0)
    return joints + too_near[:, None, None] * torch.tensor([0.0, 0.0, 1.0])


def mirror(pose_m: Tensor) -> Tensor:
    """Reflect (B, 17, 3) bodies in the plane x = 0 and exchange left and right."""
    return pose_m[:, list(HUMAN36M17.flip_indices)] * torch.tensor([-1.0, 1.0, 1.0])
