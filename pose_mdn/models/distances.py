"""Distances between joints in the view, from which foreshortening can be read."""

import torch
from torch import Tensor

from pose_mdn.skeletons import HUMAN36M17

_SPANS = (
    ("r_shoulder", "r_wrist"),
    ("l_shoulder", "l_wrist"),
    ("r_hip", "r_ankle"),
    ("l_hip", "l_ankle"),
    ("r_shoulder", "l_shoulder"),
    ("r_hip", "l_hip"),
    ("r_shoulder", "r_hip"),
    ("l_shoulder", "l_hip"),
    ("r_wrist", "l_wrist"),
    ("r_ankle", "l_ankle"),
    ("pelvis", "thorax"),
    ("pelvis", "head_top"),
)
"""Whole limbs, which are still told when the joint between is missing, the torso, and how far apart sides are."""

JOINT_PAIRS = tuple(HUMAN36M17.bones) + tuple(
    (HUMAN36M17.joint_names.index(first), HUMAN36M17.joint_names.index(second)) for first, second in _SPANS
)
"""Indices of the joints between which distances are taken."""
SMALLEST_SQUARED_DISTANCE = 1e-6


def visible_distances(points: Tensor, visible: Tensor) -> Tensor:
    """Distances of the joints in each of the P `JOINT_PAIRS`.

    Args:
        points: (B, 17, 2) view coordinates.
        visible: (B, 17) booleans.

    Returns:
        (B, P) distances; 0 where either joint is not visible.
    """
    first, second = (list(joints) for joints in zip(*JOINT_PAIRS, strict=True))
    square = (points[:, first] - points[:, second]).square().sum(-1)
    # The floor keeps the root's gradient finite where points coincide.
    distance = (square + SMALLEST_SQUARED_DISTANCE).sqrt()
    return torch.where(visible[:, first] & visible[:, second], distance, 0.0)
