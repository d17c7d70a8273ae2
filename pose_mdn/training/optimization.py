"""Optimisers and learning-rate schedules."""

import math
from collections.abc import Callable

import torch
from torch import nn

from pose_mdn.config import RunConfig, TrainingConfig
from pose_mdn.training.muon import Muon

_WARM_UP_FRACTION = 0.05
_INITIAL_FRACTION = 0.04


def build_optimizers(network: nn.Module, config: RunConfig) -> list[torch.optim.Optimizer]:
    """Optimisers over all parameters.

    Weight decay spares biases and norms, which it would only pull off their scale. Muon moves the matrices between
    hidden features; what enters from keypoints and leaves to poses has axes of its own and stays with AdamW.
    """
    optimizer = config.optimizer
    if optimizer.name == "adam":
        return [torch.optim.Adam(network.parameters(), lr=optimizer.learning_rate)]
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    inner = [matrix for matrix in matrices if matrix.shape[0] == matrix.shape[1] and optimizer.name == "muon"]
    outer = [matrix for matrix in matrices if not any(matrix is other for other in inner)]
    groups = [{"params": outer, "weight_decay": optimizer.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=optimizer.learning_rate, fused=True)
    if not inner:
        return [adamw]
    dtype = torch.bfloat16 if uses_bfloat16(config) else torch.float32
    return [adamw, Muon(inner, lr=optimizer.learning_rate, weight_decay=optimizer.weight_decay, dtype=dtype)]


def learning_rate_schedule(config: RunConfig) -> Callable[[int], float]:
    """Learning rate as a function of the step, stateless so that a resumed run continues exactly."""
    optimizer = config.optimizer

    def exponential(step: int) -> float:
        return optimizer.learning_rate * optimizer.decay_rate ** (step / optimizer.decay_steps)

    def one_cycle(step: int) -> float:
        progress = step / config.steps
        if progress < _WARM_UP_FRACTION:
            share = _INITIAL_FRACTION + (1.0 - _INITIAL_FRACTION) * progress / _WARM_UP_FRACTION
        else:
            share = 0.5 + 0.5 * math.cos(math.pi * (progress - _WARM_UP_FRACTION) / (1.0 - _WARM_UP_FRACTION))
        return optimizer.learning_rate * share

    return one_cycle if optimizer.schedule == "one_cycle" else exponential


def temperature_schedule(config: TrainingConfig) -> Callable[[int], float]:
    """Temperature of the likelihood as a function of the step: geometric from its initial value to 1."""
    loss = config.loss

    def temperature(step: int) -> float:
        if loss.tempered_fraction == 0.0:
            return 1.0
        progress = min(1.0, step / (loss.tempered_fraction * config.steps))
        return float(loss.initial_temperature ** (1.0 - progress))

    return temperature


def uses_bfloat16(config: RunConfig) -> bool:
    """Whether the trunk computes in bfloat16: asked for, or the processor has instructions for it."""
    if config.precision == "auto":
        return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return config.precision == "bfloat16"
