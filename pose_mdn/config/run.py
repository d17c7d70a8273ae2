"""Settings that every training run has, whatever it trains."""

from dataclasses import dataclass, field
from typing import Literal

from pose_mdn.config.ranges import require


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How weights are moved."""

    name: Literal["muon", "adamw", "adam"] = "muon"
    """Muon for the trunk's matrices with AdamW for the rest, AdamW alone (decoupled weight decay), or Adam."""
    learning_rate: float = 3e-3
    """Peak (one_cycle) or initial (exponential) learning rate."""
    weight_decay: float = 0.01
    """Decoupled weight decay (not of Adam)."""
    schedule: Literal["one_cycle", "exponential"] = "one_cycle"
    """Linear warm-up over 5 % of the steps and cosine to zero, or `decay_rate` per `decay_steps`, continuous."""
    decay_rate: float = 0.96
    """Factor of the exponential schedule."""
    decay_steps: int = 100_000
    """Steps over which the exponential schedule applies its factor once."""
    max_gradient_norm: float | None = 1.0
    """Gradients are scaled down to this global norm; none if absent."""

    def __post_init__(self) -> None:
        require(self.learning_rate > 0, "learning_rate", "> 0", self.learning_rate)
        require(self.weight_decay >= 0, "weight_decay", ">= 0", self.weight_decay)
        require(0 < self.decay_rate <= 1, "decay_rate", "in (0, 1]", self.decay_rate)
        require(self.decay_steps >= 1, "decay_steps", ">= 1", self.decay_steps)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How long, in which steps and with which optimiser weights are trained."""

    seed: int = 0
    """Seed of initialisation and of everything drawn."""
    steps: int = 24_000
    """Optimiser steps."""
    batch_size: int = 1024
    """Views or poses per step."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the trunk; auto takes bfloat16 where the processor computes in it. Losses are always float32."""
    checkpoint_every: int = 1000
    """Steps between checkpoints and validations."""
    start_from: str | None = None
    """Run folder whose weights are the starting point; fresh weights if absent."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """The optimiser and its schedule."""

    def __post_init__(self) -> None:
        require(self.steps >= 1, "steps", ">= 1", self.steps)
        require(self.batch_size >= 2, "batch_size", ">= 2", self.batch_size)
        require(self.checkpoint_every >= 1, "checkpoint_every", ">= 1", self.checkpoint_every)
