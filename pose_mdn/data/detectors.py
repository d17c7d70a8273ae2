"""What detectors send of a person, joint layouts and their gaps and middles included."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pose_mdn.config import DetectorConfig
from pose_mdn.data.detector_noise import distort
from pose_mdn.data.false_detections import false_detections
from pose_mdn.data.missing_joints import visible_joints
from pose_mdn.skeletons import HUMAN36M17

_J = {name: index for index, name in enumerate(HUMAN36M17.joint_names)}
_NOSE_FORWARD_M = (0.06, 0.14)
_NOSE_UP_M = (-0.03, 0.06)


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Keypoints of B people.

    Attributes:
        slopes: (B, 17, 2) points on the plane z = 1; 0 where the confidence is.
        confidence: (B, 17) in [0, 1].
        is_person: (B,) False where the keypoints have nothing to do with the person.
    """

    slopes: Tensor
    confidence: Tensor
    is_person: Tensor


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
    detected, confidence = distort(clean, config, generator)
    is_person = torch.rand(count, generator=generator) >= config.false_detection_probability
    detected = torch.where(is_person[:, None, None], detected, false_detections(detected, generator))
    slopes = _derive_middles(detected, layout, config, generator)
    visible = visible_joints(slopes, config, generator)
    visible[:, _J["spine"]] &= layout == 0
    visible[:, _J["head_top"]] &= layout != 1
    visible = torch.where((layout > 0)[:, None], _propagate_masks(visible), visible)
    confidence = torch.where(visible, confidence, 0.0)
    slopes = torch.where(visible[..., None], slopes, 0.0)
    return Detection(slopes=slopes, confidence=confidence, is_person=is_person)


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


def _derive_middles(slopes: Tensor, layout: Tensor, config: DetectorConfig, generator: torch.Generator) -> Tensor:
    """Put pelvis and thorax where other layouts have them; some Human3.6M-like detectors do so for the pelvis too."""
    hips = 0.5 * (slopes[:, _J["l_hip"]] + slopes[:, _J["r_hip"]])
    shoulders = 0.5 * (slopes[:, _J["l_shoulder"]] + slopes[:, _J["r_shoulder"]])
    middle = (layout > 0) | (torch.rand(len(slopes), generator=generator) < config.pelvis_between_hips_probability)
    slopes = slopes.clone()
    slopes[:, _J["pelvis"]] = torch.where(middle[:, None], hips, slopes[:, _J["pelvis"]])
    slopes[:, _J["thorax"]] = torch.where((layout > 0)[:, None], shoulders, slopes[:, _J["thorax"]])
    return slopes


def _propagate_masks(visible: Tensor) -> Tensor:
    """A middle of two joints is missing if either is."""
    visible = visible.clone()
    visible[:, _J["pelvis"]] = visible[:, _J["l_hip"]] & visible[:, _J["r_hip"]]
    visible[:, _J["thorax"]] = visible[:, _J["l_shoulder"]] & visible[:, _J["r_shoulder"]]
    return visible
