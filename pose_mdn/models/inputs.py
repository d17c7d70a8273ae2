"""What a network is given of a view, as one row of numbers per person."""

import torch
from torch import Tensor

from pose_mdn.config import ModelConfig
from pose_mdn.models.distances import JOINT_PAIRS, visible_distances
from pose_mdn.models.standardization import Standardization
from pose_mdn.skeletons import HUMAN36M17

_WITHOUT_NOSE = [joint for joint, name in enumerate(HUMAN36M17.joint_names) if name != "neck_nose"]
"""The 16 joints that the faithful Li-and-Lee network sees."""


def num_inputs(config: ModelConfig) -> int:
    """F, the length of the rows."""
    if config.trunk == "martinez_2017":
        return 2 * len(_WITHOUT_NOSE)
    return 3 * HUMAN36M17.num_joints + 1 + (len(JOINT_PAIRS) if config.distances else 0)


def network_inputs(
    config: ModelConfig, standardization: Standardization, points: Tensor, confidence: Tensor, log_radius: Tensor
) -> Tensor:
    """(x, y, confidence) of every joint, the logarithm of the view's radius, and distances between joints.

    From distances follows how much bones, limbs and torso are foreshortened, which a short network is slow to find out
    by itself. `martinez_2017` sees standardised (x, y) of 16 joints and nothing else.

    Args:
        config: The network's settings.
        standardization: Its constants.
        points: (B, 17, 2) view coordinates.
        confidence: (B, 17) in [0, 1]; 0 means missing.
        log_radius: (B,) logarithm of the view's radius.

    Returns:
        (B, F) numbers; values of missing joints do not matter.
    """
    visible = confidence > 0
    if config.trunk == "martinez_2017":
        standardized = standardization.standardize_points(points)
        return torch.where(visible[..., None], standardized, 0.0)[:, _WITHOUT_NOSE].flatten(1)
    joints = torch.cat([torch.where(visible[..., None], points, 0.0), confidence[..., None]], dim=-1)
    size = standardization.limit_log_radius(log_radius)[:, None]
    distances = [visible_distances(points, visible)] if config.distances else []
    return torch.cat([joints.flatten(1), size, *distances], dim=-1)
