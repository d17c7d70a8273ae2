"""Networks into and out of a latent normal variable, with or without a condition."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pose_mdn.config import LatentConfig, ModelConfig
from pose_mdn.models.mdn import KinematicMeans
from pose_mdn.models.trunk import LayerNormBlock

_LOG_VARIANCE_RANGE = (-12.0, 4.0)


class Posterior(NamedTuple):
    """q(z | x): a normal distribution with diagonal covariance.

    Attributes:
        mean: (B, Z).
        log_variance: (B, Z).
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """(B, Z) latents of (B, Z) standard normal noise: the reparameterisation mean + std * noise."""
        return self.mean + (0.5 * self.log_variance).exp() * noise


class ConditionedTrunk(nn.Module):
    """Pre-LayerNorm residual blocks over the sum of two linear inlets, of what is coded and of the condition.

    As two layers rather than one over both, the condition's share is computed once for all samples of a view.
    """

    def __init__(self, in_features: int, condition_features: int, config: LatentConfig) -> None:
        super().__init__()
        self.inlet = nn.Linear(in_features, config.width)
        self.condition = nn.Linear(condition_features, config.width, bias=False) if condition_features else None
        self.blocks = nn.Sequential(*(LayerNormBlock(config.width, 0.0) for _ in range(config.num_blocks)))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, features: Tensor, condition: Tensor | None) -> Tensor:
        """(..., in_features), with a condition that broadcasts against it, to (..., width)."""
        with torch.autocast("cpu", enabled=False):
            hidden = self.inlet(features)
            if self.condition is not None and condition is not None:
                hidden = hidden + self.condition(condition)
        return self.norm(self.blocks(hidden))


class LatentEncoder(nn.Module):
    """The recognition network: features, and a condition if there is one, to a posterior."""

    def __init__(self, in_features: int, condition_features: int, config: LatentConfig) -> None:
        super().__init__()
        self.trunk = ConditionedTrunk(in_features, condition_features, config)
        self.mean = nn.Linear(config.width, config.latent_dim)
        self.log_variance = nn.Linear(config.width, config.latent_dim)

    def forward(self, features: Tensor, condition: Tensor | None) -> Posterior:
        """(B, in_features) and (B, condition_features) to (B, Z) posteriors, in float32."""
        hidden = self.trunk(features, condition)
        log_variance = self.log_variance(hidden).float().clamp(*_LOG_VARIANCE_RANGE)
        return Posterior(mean=self.mean(hidden).float(), log_variance=log_variance)


class LatentDecoder(nn.Module):
    """Latents, and a condition if there is one, to bodies whose left and right bones are equally long."""

    def __init__(self, condition_features: int, config: LatentConfig) -> None:
        super().__init__()
        self.trunk = ConditionedTrunk(config.latent_dim, condition_features, config)
        self.means = KinematicMeans(ModelConfig(num_hypotheses=1, width=config.width))

    def forward(self, latent: Tensor, condition: Tensor | None) -> Tensor:
        """(..., Z) latents, with a condition that broadcasts against them, to (..., 17, 3) root-relative metres."""
        hidden = self.trunk(latent, condition)
        joints = self.means(hidden.reshape(-1, hidden.shape[-1]))[:, 0]
        return nn.functional.pad(joints, (0, 0, 1, 0)).reshape(*latent.shape[:-1], -1, 3)
