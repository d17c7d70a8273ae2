"""How detectors err: jitter, outliers, girdles drawn too wide or too high, left taken for right, and confidences."""

import math

import torch
from torch import Tensor

from pose_mdn.config import DetectorConfig
from pose_mdn.skeletons import HUMAN36M17

_OUTLIER_FACTOR = 6.0
_SWAP_CONFIDENCE = 0.6
_J = {name: index for index, name in enumerate(HUMAN36M17.joint_names)}
_LEGS = ("hip", "knee", "ankle")
_ARMS = ("shoulder", "elbow", "wrist")


def person_size(slopes: Tensor) -> Tensor:
    """(B,) diagonal of the bounding box of (B, 17, 2) slopes."""
    return (slopes.amax(dim=1) - slopes.amin(dim=1)).norm(dim=-1)


def distort(clean: Tensor, config: DetectorConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn true slopes into detected ones.

    Args:
        clean: (B, 17, 2) slopes.
        config: How detectors err.
        generator: Source of randomness.

    Returns:
        (B, 17, 2) slopes and (B, 17) confidences in (0, 1]. A view of the clean share is returned as it came.
    """
    count, joints = clean.shape[:2]
    low, high = (math.log(bound) for bound in config.noise)
    level = torch.exp(torch.empty(count, 1).uniform_(low, high, generator=generator))
    noisy = torch.rand(count, 1, generator=generator) >= config.clean_probability
    confidence = _confidence(count, joints, config, generator)
    outlier = torch.rand(count, joints, generator=generator) < config.outlier_probability
    # An uncertain joint is up to three times as noisy as a certain one.
    factor = torch.where(outlier, _OUTLIER_FACTOR, 1.0) * (1.0 + 2.0 * (1.0 - confidence))
    std = level * factor * person_size(clean)[:, None]
    slopes = _drift_girdles(clean, config, generator) + std[..., None] * torch.randn(clean.shape, generator=generator)
    slopes, confidence = _swap_sides(slopes, confidence, config, generator)
    return torch.where(noisy[..., None], slopes, clean), confidence


def _confidence(count: int, joints: int, config: DetectorConfig, generator: torch.Generator) -> Tensor:
    graded = torch.rand(count, 1, generator=generator) < config.graded_confidence_probability
    spread = torch.rand(count, joints, generator=generator)
    floor = torch.rand(count, 1, generator=generator)
    return torch.where(graded, 1.0 - (1.0 - 0.15 * spread) * spread.square() * floor, 1.0).clamp(0.1, 1.0)


def _drift_girdles(slopes: Tensor, config: DetectorConfig, generator: torch.Generator) -> Tensor:
    """Move hips and shoulders as detectors do that were taught other joint centres: wider, narrower, up or down."""
    count = len(slopes)
    drifts = torch.rand(count, 1, 1, generator=generator) < config.girdle_drift_probability
    trunk = slopes[:, _J["thorax"]] - slopes[:, _J["pelvis"]]
    result = slopes.clone()
    for left, right in (("l_hip", "r_hip"), ("l_shoulder", "r_shoulder")):
        pair = [_J[left], _J[right]]
        middle = slopes[:, pair].mean(dim=1, keepdim=True)
        width = 1.0 + 0.15 * torch.randn(count, 1, 1, generator=generator)
        rise = 0.04 * torch.randn(count, 1, 1, generator=generator) * trunk[:, None]
        moved = middle + width * (slopes[:, pair] - middle) + rise
        result[:, pair] = torch.where(drifts, moved, slopes[:, pair])
    return result


def _swap_sides(
    slopes: Tensor, confidence: Tensor, config: DetectorConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Take left legs for right ones, left arms for right ones: half of the time with less confidence."""
    count = len(slopes)
    for joints in (_LEGS, _ARMS):
        left, right = ([_J[f"{side}_{joint}"] for joint in joints] for side in "lr")
        swapped = torch.arange(slopes.shape[1])
        swapped[left + right] = torch.tensor(right + left)
        chosen = torch.rand(count, 1, generator=generator) < config.side_swap_probability
        doubted = torch.where(torch.rand(count, 1, generator=generator) < 0.5, _SWAP_CONFIDENCE, 1.0)
        limbs = torch.zeros(slopes.shape[1], dtype=torch.bool)
        limbs[left + right] = True
        confidence = torch.where(chosen & limbs, confidence[:, swapped] * doubted, confidence)
        slopes = torch.where(chosen[..., None], slopes[:, swapped], slopes)
    return slopes, confidence.clamp(min=0.1)
