"""Batched rotations that view sampling needs."""

import torch
from torch import Tensor


def turn_about_vertical(vectors: Tensor, yaw_rad: Tensor) -> Tensor:
    """Turn (B, K, 3) vectors about the Y axis so that atan2(z, x) grows by (B,) `yaw_rad`."""
    cos, sin = yaw_rad.cos()[:, None], yaw_rad.sin()[:, None]
    x, y, z = vectors.unbind(-1)
    return torch.stack([cos * x - sin * z, y, sin * x + cos * z], dim=-1)


def axis_angle_matrix(axis: Tensor, angle_rad: Tensor) -> Tensor:
    """(B, 3, 3) right-handed rotations by (B,) angles about (B, 3) unit axes (Rodrigues)."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(-1, 3, 3)
    sin, cos = angle_rad.sin()[:, None, None], angle_rad.cos()[:, None, None]
    return torch.eye(3) + sin * cross + (1.0 - cos) * (cross @ cross)
