"""Which joints a detector does not see: hidden one by one, limb by limb, or cut off by the picture's edge."""

import math

import torch
from torch import Tensor

from pose_mdn.config import DetectorConfig
from pose_mdn.skeletons import HUMAN36M17

_J = {name: index for index, name in enumerate(HUMAN36M17.joint_names)}
_LIMB_JOINTS = [_J[f"{side}_{joint}"] for side in "lr" for joint in ("knee", "ankle", "elbow", "wrist")]
_BELOW_HIPS = ("l_knee", "l_ankle", "r_knee", "r_ankle")
_GROUPS = [
    *((f"{side}_knee", f"{side}_ankle") for side in "lr"),
    *((f"{side}_elbow", f"{side}_wrist") for side in "lr"),
    _BELOW_HIPS,
    (*_BELOW_HIPS, "pelvis", "l_hip", "r_hip", "spine"),
]
_SCATTERED_SHARE, _LIMB_JOINT_SHARE, _GROUP_SHARE = 0.2, 0.4, 0.2
_MOST_SCATTERED = 4
_LEAST_KEPT = 0.35


def visible_joints(slopes: Tensor, config: DetectorConfig, generator: torch.Generator) -> Tensor:
    """(B, 17) whether each joint of (B, 17, 2) slopes is seen."""
    count, joints = slopes.shape[:2]
    limb_bias = torch.zeros(joints)
    limb_bias[_LIMB_JOINTS] = -1.0
    kind = torch.rand(count, 1, generator=generator)
    order = torch.rand(count, joints, generator=generator)
    order = torch.where(kind < _SCATTERED_SHARE, order, order + limb_bias).argsort(dim=1).argsort(dim=1)
    scattered = order < torch.randint(1, _MOST_SCATTERED + 1, (count, 1), generator=generator)
    groups = torch.zeros(len(_GROUPS), joints, dtype=torch.bool)
    for row, members in enumerate(_GROUPS):
        groups[row, [_J[name] for name in members]] = True
    group = groups[torch.randint(len(groups), (count,), generator=generator)]
    cut = _beyond_edge(slopes, generator)
    by_one = _SCATTERED_SHARE + _LIMB_JOINT_SHARE
    hidden = torch.where(kind < by_one, scattered, torch.where(kind < by_one + _GROUP_SHARE, group, cut))
    misses = torch.rand(count, 1, generator=generator) < config.missing_probability
    return ~(hidden & misses)


def _beyond_edge(slopes: Tensor, generator: torch.Generator) -> Tensor:
    """Cut the person by a straight edge of any direction, mostly level or upright ones."""
    count = len(slopes)
    quarter = torch.randint(4, (count,), generator=generator) * (math.pi / 2)
    angle = quarter + 0.1 * torch.randn(count, generator=generator)
    normal = torch.stack([angle.cos(), angle.sin()], dim=-1)
    depth = (slopes @ normal[..., None])[..., 0]
    low, high = depth.amin(dim=1, keepdim=True), depth.amax(dim=1, keepdim=True)
    kept = _LEAST_KEPT + (1.0 - _LEAST_KEPT) * torch.rand(count, 1, generator=generator)
    return depth > low + kept * (high - low)
