"""Means and standard deviations of training views, kept with the weights."""

import torch
from torch import Tensor, nn

from pose_mdn.skeletons import HUMAN36M17

_USUAL_SHARE = (0.05, 0.99)
"""Quantiles: beyond them training shows too little to learn from, and errors grow before its edge."""
_ANY_LOG_RADIUS = 20.0


class Standardization(nn.Module):
    """Statistics measured on training views before the first step.

    x and y of a joint share one standard deviation, so that a standard deviation in standardised units means one length
    across the line of sight and one along it (Li and Lee standardise all three coordinates apart).
    """

    points_mean: Tensor
    points_std: Tensor
    pose_mean_m: Tensor
    pose_std_m: Tensor
    log_radius_range: Tensor

    def __init__(self) -> None:
        super().__init__()
        joints = HUMAN36M17.num_joints
        self.register_buffer("points_mean", torch.zeros(joints, 2))
        self.register_buffer("points_std", torch.ones(joints, 2))
        self.register_buffer("pose_mean_m", torch.zeros(joints - 1, 3))
        self.register_buffer("pose_std_m", torch.ones(joints - 1, 2))
        self.register_buffer("log_radius_range", torch.tensor([-_ANY_LOG_RADIUS, _ANY_LOG_RADIUS]))

    @torch.no_grad()
    def fit(self, points: Tensor, confidence: Tensor, log_radius: Tensor, pose_m: Tensor) -> None:
        """Measure (B, 17, 2) points where (B, 17) confidence > 0, (B,) log-radii and (B, 17, 3) root-relative poses."""
        weight = (confidence > 0).float()[..., None]
        count = weight.sum(0).clamp(min=1.0)
        mean = (weight * points).sum(0) / count
        self.points_mean.copy_(mean)
        self.points_std.copy_(((weight * (points - mean).square()).sum(0) / count).sqrt().clamp(min=1e-4))
        pose = pose_m[:, 1:]
        variance = pose.var(0)
        across = (0.5 * (variance[:, 0] + variance[:, 1])).sqrt()
        self.pose_mean_m.copy_(pose.mean(0))
        self.pose_std_m.copy_(torch.stack([across, variance[:, 2].sqrt()], dim=-1))
        self.log_radius_range.copy_(torch.quantile(log_radius, log_radius.new_tensor(_USUAL_SHARE)))

    def limit_log_radius(self, log_radius: Tensor) -> Tensor:
        """(B,) log-radii kept within what training showed: whoever is further away looks as from the furthest place."""
        low, high = self.log_radius_range.unbind()
        return torch.minimum(torch.maximum(log_radius, low), high)

    def standardize_points(self, points: Tensor) -> Tensor:
        """(B, 17, 2) view coordinates to zero mean and unit variance."""
        return (points - self.points_mean) / self.points_std

    def destandardize_pose(self, standardized: Tensor) -> Tensor:
        """(..., 16, 3) standardised coordinates to metres."""
        return self.pose_mean_m + standardized * self.pose_std_m[:, [0, 0, 1]]
