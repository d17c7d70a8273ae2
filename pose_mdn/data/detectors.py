"""What detectors send of a person: their layouts, their noise, their gaps and their confidences."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pose_mdn.config import DetectorConfig
from pose_mdn.skeletons import HUMAN36M17

_OUTLIER_FACTOR = 6.0
_J = {name: index for index, name in enumerate(HUMAN36M17.joint_names)}
_LIMBS = [
    [_J[f"{side}_{joint}"] for joint in joints]
    for side in "lr"
    for joints in (("knee", "ankle"), ("elbow", "wrist"), ("ankle",), ("wrist",))
]
_BELOW_HIPS = [_J[f"{side}_{joint}"] for side in "lr" for joint in ("knee", "ankle")]
_NOSE_FORWARD_M = (0.06, 0.14)
_NOSE_UP_M = (-0.03, 0.06)


@dataclass(frozen=True, kw_only=True)
class Detection:
    """(B, 17, 2) slopes on the plane z = 1 and (B, 17) confidences; slopes are 0 where the confidence is."""

    slopes: Tensor
    confidence: Tensor


def detect(joints_m: Tensor, config: DetectorConfig, generator: torch.Generator) -> Detection:
    """Observe (B, 17, 3) camera-frame joints as a detector would.

    Layouts follow `pose_mdn.skeletons.mapping`: COCO-like ones have no spine and no head top, their pelvis and thorax
    are middles of hips and shoulders and their neck_nose is a nose; Halpe-like ones have a head top; MPII-like ones
    lack the spine alone.
    """
    count = len(joints_m)
    weights = torch.tensor(config.layout_weights)
    layout = torch.multinomial(weights, count, replacement=True, generator=generator)
    clean = joints_m[..., :2] / joints_m[..., 2:]
    nose = _nose(joints_m, generator)
    has_nose = ((layout == 1) | (layout == 2))[:, None]
    clean[:, _J["neck_nose"]] = torch.where(has_nose, nose[..., :2] / nose[..., 2:], clean[:, _J["neck_nose"]])
    noise, confidence = _noise(clean, config, generator)
    slopes = _derive_middles(clean + noise, layout, config, generator)
    visible = _visible(count, config, generator)
    visible[:, _J["spine"]] &= layout == 0
    visible[:, _J["head_top"]] &= layout != 1
    visible = torch.where((layout > 0)[:, None], _propagate_masks(visible), visible)
    confidence = torch.where(visible, confidence, 0.0)
    return Detection(slopes=torch.where(visible[..., None], slopes, 0.0), confidence=confidence)


def person_size(slopes: Tensor) -> Tensor:
    """(B,) diagonal of the bounding box of (B, 17, 2) slopes."""
    return (slopes.amax(dim=1) - slopes.amin(dim=1)).norm(dim=-1)


def _nose(joints_m: Tensor, generator: torch.Generator) -> Tensor:
    """A nose for data that has none: in front of the middle of the head, which may be turned by up to 50 degrees."""
    count = len(joints_m)
    up = joints_m[:, _J["head_top"]] - joints_m[:, _J["neck_nose"]]
    up = up / up.norm(dim=-1, keepdim=True)
    side = joints_m[:, _J["l_shoulder"]] - joints_m[:, _J["r_shoulder"]]
    forward = torch.linalg.cross(side, up)
    forward = forward / forward.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    sideways = torch.linalg.cross(up, forward)
    turn = (0.3 * torch.randn(count, 1, generator=generator)).clamp(-0.9, 0.9)
    reach = torch.empty(count, 1).uniform_(*_NOSE_FORWARD_M, generator=generator)
    lift = torch.empty(count, 1).uniform_(*_NOSE_UP_M, generator=generator)
    middle = 0.5 * (joints_m[:, _J["head_top"]] + joints_m[:, _J["neck_nose"]])
    return middle + reach * (turn.cos() * forward + turn.sin() * sideways) + (lift - 0.03) * up


def _noise(clean: Tensor, config: DetectorConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    count, joints = clean.shape[:2]
    low, high = (math.log(bound) for bound in config.noise)
    level = torch.exp(torch.empty(count, 1).uniform_(low, high, generator=generator))
    level = torch.where(torch.rand(count, 1, generator=generator) < config.clean_probability, 0.0, level)
    graded = torch.rand(count, 1, generator=generator) < config.graded_confidence_probability
    spread = torch.rand(count, joints, generator=generator)
    floor = torch.rand(count, 1, generator=generator)
    confidence = torch.where(graded, 1.0 - (1.0 - 0.15 * spread) * spread.square() * floor, 1.0).clamp(0.1, 1.0)
    outlier = torch.rand(count, joints, generator=generator) < config.outlier_probability
    # An uncertain joint is up to three times as noisy as a certain one.
    factor = torch.where(outlier, _OUTLIER_FACTOR, 1.0) * (1.0 + 2.0 * (1.0 - confidence))
    std = level * factor * person_size(clean)[:, None]
    return std[..., None] * torch.randn(clean.shape, generator=generator), confidence


def _derive_middles(slopes: Tensor, layout: Tensor, config: DetectorConfig, generator: torch.Generator) -> Tensor:
    """Put pelvis and thorax where other layouts have them; some Human3.6M-like detectors do so for the pelvis too."""
    hips = 0.5 * (slopes[:, _J["l_hip"]] + slopes[:, _J["r_hip"]])
    shoulders = 0.5 * (slopes[:, _J["l_shoulder"]] + slopes[:, _J["r_shoulder"]])
    middle = (layout > 0) | (torch.rand(len(slopes), generator=generator) < config.pelvis_between_hips_probability)
    slopes = slopes.clone()
    slopes[:, _J["pelvis"]] = torch.where(middle[:, None], hips, slopes[:, _J["pelvis"]])
    slopes[:, _J["thorax"]] = torch.where((layout > 0)[:, None], shoulders, slopes[:, _J["thorax"]])
    return slopes


def _visible(count: int, config: DetectorConfig, generator: torch.Generator) -> Tensor:
    joints = HUMAN36M17.num_joints
    scattered = torch.rand(count, joints, generator=generator).argsort(dim=1)
    missing_count = torch.randint(1, 5, (count, 1), generator=generator)
    hidden = scattered < missing_count
    limb = torch.zeros(len(_LIMBS) + 1, joints, dtype=torch.bool)
    for row, members in enumerate([*_LIMBS, _BELOW_HIPS]):
        limb[row, members] = True
    whole = limb[torch.randint(len(limb), (count,), generator=generator)]
    kind = torch.rand(count, 1, generator=generator)
    hidden = torch.where(kind < 0.55, hidden, whole)
    misses = torch.rand(count, 1, generator=generator) < config.missing_probability
    return ~(hidden & misses)


def _propagate_masks(visible: Tensor) -> Tensor:
    """A middle of two joints is missing if either is."""
    visible = visible.clone()
    visible[:, _J["pelvis"]] = visible[:, _J["l_hip"]] & visible[:, _J["r_hip"]]
    visible[:, _J["thorax"]] = visible[:, _J["l_shoulder"]] & visible[:, _J["r_shoulder"]]
    return visible
