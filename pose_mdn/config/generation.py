"""Settings of the generative models: the pose VAE, alone or conditioned on a label, and the CVAE that lifts."""

from dataclasses import dataclass, field
from typing import Literal

from pose_mdn.config.model import ModelConfig
from pose_mdn.config.ranges import require
from pose_mdn.config.run import RunConfig
from pose_mdn.config.views import BodyConfig, ViewConfig


@dataclass(frozen=True, kw_only=True)
class LatentConfig:
    """A latent normal variable and the networks into and out of it."""

    latent_dim: int = 32
    """Z, dimensions of the latent variable."""
    width: int = 256
    """Features of every hidden layer of encoder and decoder."""
    num_blocks: int = 2
    """Residual blocks of each, two linear layers per block."""
    min_std_m: float = 0.004
    """Floor of the standard deviations that the decoder states of joints, metres."""

    def __post_init__(self) -> None:
        require(self.latent_dim >= 1, "latent_dim", ">= 1", self.latent_dim)
        require(self.width >= 1, "width", ">= 1", self.width)
        require(self.num_blocks >= 0, "num_blocks", ">= 0", self.num_blocks)
        require(self.min_std_m > 0, "min_std_m", "> 0", self.min_std_m)


@dataclass(frozen=True, kw_only=True)
class ElboConfig:
    """Evidence lower bound: reconstruction and Kullback-Leibler divergence."""

    beta: float = 1.0
    """Weight of the divergence; 1 is the bound itself, above 1 asks for simpler codes (Higgins et al. 2017)."""
    warm_up_fraction: float = 0.1
    """Part of the run over which beta rises from 0, so that the latent variable is used before it is paid for."""

    def __post_init__(self) -> None:
        require(self.beta >= 0, "beta", ">= 0", self.beta)
        require(0.0 <= self.warm_up_fraction <= 1.0, "warm_up_fraction", "in [0, 1]", self.warm_up_fraction)

    def beta_at(self, progress: float) -> float:
        """The weight when that part of the run, in [0, 1], is done."""
        return self.beta if self.warm_up_fraction == 0 else self.beta * min(1.0, progress / self.warm_up_fraction)


@dataclass(frozen=True, kw_only=True)
class PoseVAEConfig(RunConfig):
    """Everything that determines the run of a pose VAE or, with labels, a conditional one."""

    kind: Literal["pose_vae", "pose_cvae"] = "pose_vae"
    """What is trained: a prior over poses, or one for each class of actions."""
    validation_poses: int = 4096
    """Poses of validation subjects on which progress is measured."""
    model: LatentConfig = field(default_factory=LatentConfig)
    """The networks."""
    loss: ElboConfig = field(default_factory=ElboConfig)
    """The objective."""
    body: BodyConfig = field(default_factory=BodyConfig)
    """Variation of bodies; with labels, parts are exchanged within a class only."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.validation_poses >= 1, "validation_poses", ">= 1", self.validation_poses)


@dataclass(frozen=True, kw_only=True)
class LiftingElboConfig(ElboConfig):
    """The bound, and what is asked of samples of the prior."""

    origin_weight: float = 500.0
    """Weight, per metre, of the mean joint error of the pose at the latent origin, which is the one shown first."""
    best_of_k_weight: float = 0.0
    """Weight, per metre, of the mean joint error of the best of `num_training_samples` samples of the prior."""
    num_training_samples: int = 4
    """Samples of the prior per view in training."""


@dataclass(frozen=True, kw_only=True)
class CVAELifterConfig(RunConfig):
    """Everything that determines the run of a lifter that is a conditional VAE (Sharma et al., ICCV 2019)."""

    kind: Literal["cvae_lifter"] = "cvae_lifter"
    """What is trained."""
    num_samples: int = 32
    """K, samples of which ranking is calibrated and that are drawn where nobody says how many."""
    validation_views: int = 4096
    """Noisy views of validation subjects on which progress is measured."""
    condition: ModelConfig = field(default_factory=ModelConfig)
    """View and trunk that read the keypoints; heads of it are not used."""
    train_condition: bool = False
    """Whether the trunk is trained too, instead of staying that of the lifter in `start_from`."""
    model: LatentConfig = field(default_factory=LatentConfig)
    """Recognition network and decoder."""
    loss: LiftingElboConfig = field(default_factory=LiftingElboConfig)
    """The objective."""
    views: ViewConfig = field(default_factory=ViewConfig)
    """The virtual cameras, bodies and detectors that make training views of motion data."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.num_samples >= 1, "num_samples", ">= 1", self.num_samples)
        require(self.validation_views >= 1, "validation_views", ">= 1", self.validation_views)
        fresh = self.train_condition or self.start_from is not None
        require(fresh, "train_condition", "true without start_from: a trunk must be learned", self.train_condition)
