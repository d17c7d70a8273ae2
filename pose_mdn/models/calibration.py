"""Corrections of stated probabilities, fitted after training and baked into the graph."""

import torch
from torch import Tensor, nn

from pose_mdn.skeletons import HUMAN36M17

MISFIT_RANGE = (0.02, 0.3)
"""Smaller misfits are those of perfect keypoints, larger ones those of no person; nothing is told apart beyond."""
TYPICAL_MISFIT = 0.06
"""Misfit at which standard deviations are what the factors per joint make of them."""
SMALLEST_WEIGHT = 1e-9
SMALLEST_EXTENT = 1e-9


class Calibration(nn.Module):
    """Factors on standard deviations and a temperature on mixing coefficients.

    A standard deviation is multiplied by a factor of its joint and axis, one for joints that are missing and one for
    joints that are seen, and by a power of the view's misfit. The network sees keypoints, but only the finished poses
    show how badly even the best of them explains these, and with it how wrong they are.
    """

    std_scale: Tensor
    misfit_exponent: Tensor
    mixing_temperature: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("std_scale", torch.ones(2, HUMAN36M17.num_joints, 2))
        self.register_buffer("misfit_exponent", torch.zeros(2))
        self.register_buffer("mixing_temperature", torch.ones(()))

    def reset(self) -> None:
        """Correct nothing."""
        self.std_scale.fill_(1.0)
        self.misfit_exponent.fill_(0.0)
        self.mixing_temperature.fill_(1.0)

    def correct(self, std_m: Tensor, confidence: Tensor, misfit: Tensor) -> Tensor:
        """(B, M, 17, 2) calibrated standard deviations; arguments as of `correct_std`."""
        return correct_std(std_m, confidence, misfit, scale=self.std_scale, exponent=self.misfit_exponent)


def correct_std(std_m: Tensor, confidence: Tensor, misfit: Tensor, *, scale: Tensor, exponent: Tensor) -> Tensor:
    """Multiply standard deviations by what is known of their joints and of the view.

    Args:
        std_m: (B, M, 17, 2) across and along the line of sight.
        confidence: (B, 17); 0 means missing.
        misfit: (B,) as of `relative_misfit`.
        scale: (2, 17, 2) factors, of missing joints and of seen ones.
        exponent: (2,) powers of the misfit, across and along.

    Returns:
        (B, M, 17, 2).
    """
    seen = (confidence > 0)[:, None, :, None]
    return torch.where(seen, scale[1], scale[0]) * misfit_gain(misfit, exponent)[:, None, None] * std_m


def misfit_gain(misfit: Tensor, exponent: Tensor) -> Tensor:
    """(B, 2) factors (misfit / typical misfit)^exponent of (B,) misfits and (2,) exponents."""
    return ((misfit.clamp(*MISFIT_RANGE) / TYPICAL_MISFIT).log()[:, None] * exponent).exp()


def relative_misfit(reprojection_error: Tensor, points: Tensor, confidence: Tensor) -> Tensor:
    """How badly the best hypothesis explains what was seen, as part of the person's size in the picture.

    Args:
        reprojection_error: (B, M) weighted RMS errors, in any unit.
        points: (B, 17, 2) where joints were seen, in the same unit; anything finite where missing.
        confidence: (B, 17) weights.

    Returns:
        (B,) smallest error over the weighted RMS distance of the points from their middle.
    """
    weight = (confidence / confidence.sum(-1, keepdim=True).clamp(min=SMALLEST_WEIGHT))[..., None]
    from_middle = points - (weight * points).sum(1, keepdim=True)
    extent = (weight * from_middle.square()).sum((1, 2)).clamp(min=SMALLEST_EXTENT).sqrt()
    return reprojection_error.amin(1) / extent
