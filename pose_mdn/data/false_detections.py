"""Keypoints that are no person: what a lifter must not be sure about."""

import torch
from torch import Tensor

from pose_mdn.skeletons import HUMAN36M17

_J = {name: index for index, name in enumerate(HUMAN36M17.joint_names)}
_LEGS = [_J[name] for name in ("pelvis", "l_hip", "l_knee", "l_ankle", "r_hip", "r_knee", "r_ankle")]


def false_detections(slopes: Tensor, generator: torch.Generator) -> Tensor:
    """Make nonsense of (B, 17, 2) slopes, each in one of five ways.

    Scattered points; a person's points under other joints' names; the upper body of one person on the legs of another
    (the batch's next one); a person squeezed along the trunk; an animal on four legs.
    """
    middle = slopes.mean(dim=1, keepdim=True)
    centred = slopes - middle
    size = centred.square().mean(dim=(1, 2), keepdim=True).sqrt()
    makers = (_scattered, _renamed, _mixed, _squeezed, _quadruped)
    options = torch.stack([make(centred, size, generator) for make in makers], dim=1)
    kind = torch.randint(len(makers), (len(slopes),), generator=generator)
    return middle + options[torch.arange(len(slopes)), kind]


def _scattered(centred: Tensor, size: Tensor, generator: torch.Generator) -> Tensor:
    return size * torch.randn(centred.shape, generator=generator)


def _renamed(centred: Tensor, size: Tensor, generator: torch.Generator) -> Tensor:
    order = torch.rand(centred.shape[:2], generator=generator).argsort(dim=1)
    return centred.gather(1, order[..., None].expand(-1, -1, 2))


def _mixed(centred: Tensor, size: Tensor, generator: torch.Generator) -> Tensor:
    apart = 1.5 * size * torch.nn.functional.normalize(torch.randn(len(centred), 1, 2, generator=generator), dim=-1)
    legs = torch.zeros(centred.shape[1], 1, dtype=torch.bool)
    legs[_LEGS] = True
    return torch.where(legs, centred, centred.roll(1, dims=0) + apart)


def _squeezed(centred: Tensor, size: Tensor, generator: torch.Generator) -> Tensor:
    trunk = centred[:, [_J["thorax"]]] - centred[:, [_J["pelvis"]]]
    axis = torch.nn.functional.normalize(trunk + 0.2 * size * torch.randn(trunk.shape, generator=generator), dim=-1)
    left = torch.empty(len(centred), 1, 1).uniform_(0.15, 0.4, generator=generator)
    return centred - (1.0 - left) * (centred * axis).sum(-1, keepdim=True) * axis


def _quadruped(centred: Tensor, size: Tensor, generator: torch.Generator) -> Tensor:
    """Trunk level, hips and shoulders over four equal legs, head in front; y points down."""
    count = len(centred)

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count).uniform_(low, high, generator=generator)

    points = torch.zeros_like(centred)
    front = torch.where(uniform(0.0, 1.0) < 0.5, -1.0, 1.0)
    leg, gap, neck = uniform(0.4, 1.0), uniform(0.02, 0.2), uniform(0.2, 0.5)
    for share, joint in ((0.0, "pelvis"), (0.5, "spine"), (1.0, "thorax")):
        points[:, _J[joint], 0] = share * front
    for side, sign in (("l", 0.5), ("r", -0.5)):
        for base, names in ((0.0, ("hip", "knee", "ankle")), (1.0, ("shoulder", "elbow", "wrist"))):
            for depth, name in zip((0.05, 0.5, 1.0), names, strict=True):
                stride = 0.3 * depth * leg * uniform(-1.0, 1.0)
                points[:, _J[f"{side}_{name}"]] = torch.stack([base * front + sign * gap + stride, depth * leg], dim=-1)
    points[:, _J["neck_nose"]] = torch.stack([(1.0 + neck) * front, -0.5 * neck], dim=-1)
    points[:, _J["head_top"]] = torch.stack([(1.0 + 0.7 * neck) * front, -neck], dim=-1)
    points = points - points.mean(dim=1, keepdim=True) + 0.04 * torch.randn(points.shape, generator=generator)
    return points * size / points.square().mean(dim=(1, 2), keepdim=True).sqrt()
