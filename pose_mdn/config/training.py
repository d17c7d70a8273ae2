"""Settings of the run that trains a mixture density lifter."""

from dataclasses import dataclass, field
from typing import Literal

from pose_mdn.config.model import ModelConfig
from pose_mdn.config.ranges import require
from pose_mdn.config.run import RunConfig
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
class TrainingConfig(RunConfig):
    """Everything that determines the run of a lifter, saved beside its weights."""

    kind: Literal["lifter"] = "lifter"
    """What is trained: a mixture density network that lifts."""
    validation_views: int = 4096
    """Noisy views of validation subjects on which progress is measured."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The network."""
    loss: LossConfig = field(default_factory=LossConfig)
    """The objective."""
    views: ViewConfig = field(default_factory=ViewConfig)
    """The virtual cameras, bodies and detectors that make training views of motion data."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.validation_views >= 1, "validation_views", ">= 1", self.validation_views)
