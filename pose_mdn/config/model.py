"""Settings of the lifter's network."""

from dataclasses import dataclass
from typing import Literal

from pose_mdn.config.ranges import require


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A mixture density network from a view of one person to M weighted Gaussians over root-relative poses."""

    num_hypotheses: int = 5
    """M, the number of mixture components."""
    view: Literal["canonical", "camera"] = "canonical"
    """What the network sees: the canonical view (turned to the axis, unit size), or plain slopes in the camera."""
    distances: bool = True
    """Whether the network sees, beside the points, how long bones, limbs and torso look (not of `martinez_2017`)."""
    trunk: Literal["layer_norm", "martinez_2017"] = "layer_norm"
    """Residual network: pre-LayerNorm with GELU, or the BatchNorm, ReLU and dropout blocks of Martinez et al. 2017."""
    width: int = 512
    """Features of every hidden layer."""
    num_blocks: int = 3
    """Residual blocks of two linear layers each."""
    dropout: float = 0.0
    """Probability of dropping a feature after each activation, in training."""
    max_norm: float | None = None
    """Largest Frobenius norm of every weight matrix, applied in the forward pass; none if absent."""
    head: Literal["kinematic", "free"] = "kinematic"
    """How means are made: bone directions times symmetric lengths shared by all hypotheses, or free coordinates."""
    covariance: Literal["line_of_sight", "isotropic"] = "line_of_sight"
    """A standard deviation per joint across and one along the line of sight, or one per hypothesis (Li & Lee 2019)."""
    ood_score: bool = True
    """Whether the network also tells how likely its input is no person as it knows people (out of distribution)."""
    min_std_m: float = 0.003
    """Floor of every standard deviation in metres, about the noise of the motion data; 0 as in the paper."""

    def __post_init__(self) -> None:
        require(self.num_hypotheses >= 1, "num_hypotheses", ">= 1", self.num_hypotheses)
        require(self.width >= 1, "width", ">= 1", self.width)
        require(self.num_blocks >= 0, "num_blocks", ">= 0", self.num_blocks)
        require(0.0 <= self.dropout < 1.0, "dropout", "in [0, 1)", self.dropout)
        require(self.max_norm is None or self.max_norm > 0, "max_norm", "> 0", self.max_norm)
        require(self.min_std_m >= 0, "min_std_m", ">= 0", self.min_std_m)
