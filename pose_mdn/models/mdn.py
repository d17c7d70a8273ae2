"""The mixture density network: one person's view in, a Gaussian mixture over root-relative poses out."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_mdn.config import ModelConfig
from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.geometry.kinematics import bone_classes, bone_vectors, chain_matrix, class_mean_matrix
from pose_mdn.models.inputs import network_inputs, num_inputs
from pose_mdn.models.standardization import Standardization
from pose_mdn.models.trunk import LayerNormTrunk, MartinezTrunk, MaxNormLinear
from pose_mdn.skeletons import HUMAN36M17

STD_UNIT_M = 0.1
SMALLEST_SQUARED_LENGTH = 1e-8
_SMALLEST_STD_M = 1e-6


@dataclass(frozen=True, kw_only=True)
class PredictedMixture:
    """A mixture over root-relative poses, in the frame of the view that the network saw.

    Attributes:
        log_mixing_coefficients: (B, M).
        means_m: (B, M, 17, 3) with the pelvis at the origin.
        std_m: (B, M, 17, 2) across and along the line of sight; 0 for the pelvis, which is not random.
        ood_logit: (B,) log-odds that the view is out of distribution; None from networks that do not tell.
    """

    log_mixing_coefficients: Tensor
    means_m: Tensor
    std_m: Tensor
    ood_logit: Tensor | None

    def distribution(self) -> GaussianMixture:
        """The density over the 48 coordinates of the 16 joints that can move."""
        return GaussianMixture(
            log_mixing_coefficients=self.log_mixing_coefficients,
            means=self.means_m[..., 1:, :].flatten(-2),
            std=torch.cat([self.std_m[..., 1:, :1], self.std_m[..., 1:, :]], dim=-1).flatten(-2),
        )


class MixtureDensityNetwork(nn.Module):
    """Trunk and heads of a `ModelConfig`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.standardization = Standardization()
        build_trunk = MartinezTrunk if config.trunk == "martinez_2017" else LayerNormTrunk
        self.trunk = build_trunk(num_inputs(config), config)
        self.means = KinematicMeans(config) if config.head == "kinematic" else FreeMeans(config, self.standardization)
        num_std = 2 * (HUMAN36M17.num_joints - 1) if config.covariance == "line_of_sight" else 1
        self.std = _linear(config, config.num_hypotheses * num_std)
        self.mixing = _linear(config, config.num_hypotheses)
        self.ood = nn.Linear(config.width, 1) if config.ood_score else None

    def forward(self, points: Tensor, confidence: Tensor, log_radius: Tensor) -> PredictedMixture:
        """Predict mixtures.

        Args:
            points: (B, 17, 2) view coordinates (canonical points, or slopes if the config's view is "camera").
            confidence: (B, 17) in [0, 1]; 0 means missing.
            log_radius: (B,) logarithm of the view's radius.

        Returns:
            Mixtures in the view's frame, in float32.
        """
        inputs = network_inputs(self.config, self.standardization, points, confidence, log_radius)
        hidden = self.trunk(inputs)
        return PredictedMixture(
            log_mixing_coefficients=functional.log_softmax(self.mixing(hidden).float(), dim=-1),
            means_m=functional.pad(self.means(hidden), (0, 0, 1, 0)),
            std_m=functional.pad(self._std(hidden), (0, 0, 1, 0)),
            ood_logit=None if self.ood is None else self.ood(hidden).float()[:, 0],
        )

    def _std(self, hidden: Tensor) -> Tensor:
        raw = self.std(hidden).float()
        shape = (-1, self.config.num_hypotheses)
        if self.config.covariance == "isotropic":
            sigma = (functional.elu(raw) + 1.0).reshape(*shape, 1, 1)
            std = sigma * self.standardization.pose_std_m
        else:
            std = STD_UNIT_M * functional.softplus(raw).reshape(*shape, HUMAN36M17.num_joints - 1, 2)
        return std + self.config.min_std_m if self.config.min_std_m > 0 else std.clamp(min=_SMALLEST_STD_M)


class KinematicMeans(nn.Module):
    """Means that are possible bodies: unit bone directions times bone lengths, summed along the chain.

    Lengths belong to the person, not to the hypothesis: one per class of bones that mirror each other, as a log-offset
    from the mean body. Left and right are therefore equal in every hypothesis.
    """

    chain: Tensor
    mean_lengths_m: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        classes, class_index = bone_classes(HUMAN36M17)
        self.num_hypotheses = config.num_hypotheses
        self.directions = _linear(config, config.num_hypotheses * len(class_index) * 3)
        self.log_lengths = _linear(config, len(classes))
        self._class_index = list(class_index)
        self.register_buffer("chain", torch.from_numpy(chain_matrix(HUMAN36M17)[1:]))
        self.register_buffer("mean_lengths_m", torch.full((len(classes),), 0.25))

    @torch.no_grad()
    def fit(self, pose_m: Tensor) -> None:
        """Measure the mean body on (B, 17, 3) poses."""
        lengths = bone_vectors(pose_m, HUMAN36M17).norm(dim=-1).mean(dim=0)
        self.mean_lengths_m.copy_(torch.from_numpy(class_mean_matrix(HUMAN36M17)) @ lengths)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, width) features to (B, M, 16, 3) metres, the joints after the pelvis."""
        directions = self.directions(hidden).float().reshape(-1, self.num_hypotheses, len(self._class_index), 3)
        length = directions.square().sum(-1, keepdim=True).clamp(min=SMALLEST_SQUARED_LENGTH).sqrt()
        directions = directions / length
        lengths = self.mean_lengths_m * self.log_lengths(hidden).float().clamp(-2.0, 2.0).exp()
        bones = directions * lengths[:, self._class_index][:, None, :, None]
        return self.chain @ bones


class FreeMeans(nn.Module):
    """Means as free coordinates, predicted in standardised units."""

    def __init__(self, config: ModelConfig, standardization: Standardization) -> None:
        super().__init__()
        self.num_hypotheses = config.num_hypotheses
        self.coordinates = _linear(config, config.num_hypotheses * (HUMAN36M17.num_joints - 1) * 3)
        self._standardization = [standardization]  # in a list, so that its buffers are not registered twice

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, width) features to (B, M, 16, 3) metres, the joints after the pelvis."""
        raw = self.coordinates(hidden).float().reshape(-1, self.num_hypotheses, HUMAN36M17.num_joints - 1, 3)
        return self._standardization[0].destandardize_pose(raw)


def _linear(config: ModelConfig, out_features: int) -> nn.Module:
    if config.trunk == "martinez_2017":
        return MaxNormLinear(config.width, out_features, max_norm=config.max_norm)
    return nn.Linear(config.width, out_features)


def count_parameters(model: nn.Module) -> int:
    """Number of trainable scalars."""
    return int(np.sum([math.prod(parameter.shape) for parameter in model.parameters()]))
