"""Settings of a training run."""

from dataclasses import dataclass, field
from typing import Literal

from pose_mdn.config.model import ModelConfig
from pose_mdn.config.ranges import require
from pose_mdn.config.views import ViewConfig


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Negative log-likelihood of the mixture with a Dirichlet prior on its coefficients."""

    dirichlet_concentration: float | tuple[float, ...] = 1.05
    """One number, or one per hypothesis, > 0. 1 is no prior; above 1 keeps hypotheses alive; below 1 favours few."""
    initial_temperature: float = 9.0
    """Component log-densities are divided by this at the start, so that several components share each pose."""
    tempered_fraction: float = 0.5
    """Part of the run over which the temperature falls to 1 (geometrically)."""

    top_1_weight: float = 0.0
    """Weight, per metre, of the most probable hypothesis's mean joint error; keeps the one shown first central."""
    best_of_m_weight: float = 0.0
    """Weight, per metre, of the best hypothesis's mean joint error; sets hypotheses apart where the truth may be."""
    ood_weight: float = 5.0
    """Weight of the cross-entropy of telling people from false detections, per nat."""

    def __post_init__(self) -> None:
        for name in ("top_1_weight", "best_of_m_weight", "ood_weight"):
            require(getattr(self, name) >= 0, name, ">= 0", getattr(self, name))
        require(self.initial_temperature >= 1.0, "initial_temperature", ">= 1", self.initial_temperature)
        require(0.0 <= self.tempered_fraction <= 1.0, "tempered_fraction", "in [0, 1]", self.tempered_fraction)


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
class TrainingConfig:
    """Everything that determines a run, saved beside its weights."""

    seed: int = 0
    """Seed of initialisation and of every view drawn."""
    steps: int = 24_000
    """Optimiser steps."""
    batch_size: int = 1024
    """Views per step."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the trunk; auto takes bfloat16 where the processor computes in it. Losses are always float32."""
    checkpoint_every: int = 1000
    """Steps between checkpoints and validations."""
    start_from: str | None = None
    """Run folder whose weights are the starting point; fresh weights if absent."""
    validation_views: int = 4096
    """Noisy views of validation subjects on which progress is measured."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The network."""
    loss: LossConfig = field(default_factory=LossConfig)
    """The objective."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """The optimiser and its schedule."""
    views: ViewConfig = field(default_factory=ViewConfig)
    """The virtual cameras, bodies and detectors that make training views of motion data."""

    def __post_init__(self) -> None:
        require(self.steps >= 1, "steps", ">= 1", self.steps)
        require(self.batch_size >= 2, "batch_size", ">= 2", self.batch_size)
        require(self.checkpoint_every >= 1, "checkpoint_every", ">= 1", self.checkpoint_every)
        require(self.validation_views >= 1, "validation_views", ">= 1", self.validation_views)
