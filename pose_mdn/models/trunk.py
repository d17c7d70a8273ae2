"""Residual networks from input features to hidden features."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pose_mdn.config import ModelConfig

_BATCH_NORM_EPSILON = 1e-3
_BATCH_NORM_MOMENTUM = 0.01
"""Defaults of tf.layers (its momentum 0.99 is 0.01 here), with which Li and Lee trained."""


class MaxNormLinear(nn.Linear):
    """A linear layer whose whole weight matrix is kept within a Frobenius norm, in the forward pass.

    Initialised as in Li and Lee's code: normal, cut at two standard deviations of sqrt(2 / first dimension), biases
    too.
    """

    def __init__(self, in_features: int, out_features: int, *, max_norm: float | None) -> None:
        super().__init__(in_features, out_features)
        self.max_norm = max_norm
        _truncated_normal_(self.weight, math.sqrt(2.0 / in_features))
        _truncated_normal_(self.bias, math.sqrt(2.0 / out_features))

    def forward(self, features: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        if self.max_norm is None:
            return super().forward(features)
        norm = self.weight.square().sum().sqrt()
        return functional.linear(features, self.weight * (self.max_norm / norm.clamp(min=self.max_norm)), self.bias)


def _truncated_normal_(parameter: Tensor, std: float) -> None:
    nn.init.trunc_normal_(parameter, std=std, a=-2.0 * std, b=2.0 * std)


class LayerNormBlock(nn.Module):
    """x + W2 GELU(W1 LayerNorm(x)); W2 starts at zero, so that a deep network starts as a shallow one."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, width) to (B, width)."""
        return features + self.second(self.dropout(functional.gelu(self.first(self.norm(features)))))


class LayerNormTrunk(nn.Module):
    """Linear input, pre-LayerNorm residual blocks, a final LayerNorm."""

    def __init__(self, in_features: int, config: ModelConfig) -> None:
        super().__init__()
        self.inlet = nn.Linear(in_features, config.width)
        self.blocks = nn.Sequential(*(LayerNormBlock(config.width, config.dropout) for _ in range(config.num_blocks)))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, features: Tensor) -> Tensor:
        """(B, in_features) to (B, width)."""
        # Keypoints carry more than bfloat16's three digits, so the first layer always computes in float32.
        with torch.autocast("cpu", enabled=False):
            hidden = self.inlet(features)
        return self.norm(self.blocks(hidden))


class MartinezBlock(nn.Module):
    """x + two times (linear, BatchNorm, ReLU, dropout); nothing after the addition, as in Li and Lee's code."""

    def __init__(self, in_width: int, width: int, num_layers: int, config: ModelConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(num_layers):
            layers += [
                MaxNormLinear(in_width if index == 0 else width, width, max_norm=config.max_norm),
                nn.BatchNorm1d(width, eps=_BATCH_NORM_EPSILON, momentum=_BATCH_NORM_MOMENTUM),
                nn.ReLU(),
                nn.Dropout(config.dropout),
            ]
        self.layers = nn.Sequential(*layers)
        self.is_residual = in_width == width

    def forward(self, features: Tensor) -> Tensor:
        """(B, in_width) to (B, width)."""
        out: Tensor = self.layers(features)
        return features + out if self.is_residual else out


class MartinezTrunk(nn.Module):
    """The network of Martinez et al., "A simple yet effective baseline for 3d human pose estimation", ICCV 2017."""

    def __init__(self, in_features: int, config: ModelConfig) -> None:
        super().__init__()
        blocks = [MartinezBlock(in_features, config.width, 1, config)]
        blocks += [MartinezBlock(config.width, config.width, 2, config) for _ in range(config.num_blocks)]
        self.blocks = nn.Sequential(*blocks)

    def forward(self, features: Tensor) -> Tensor:
        """(B, in_features) to (B, width)."""
        return self.blocks(features)
