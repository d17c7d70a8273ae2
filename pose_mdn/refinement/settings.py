"""How hypotheses are refined: what users choose, and the few numbers that were fitted to data."""

import math
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from pose_mdn.errors import InputError

_FITTED = "fitted.toml"


@dataclass(frozen=True, kw_only=True)
class FittedNumbers:
    """Numbers from data, with their provenance in `fitted.toml`.

    Attributes:
        expected_noise: The noise of keypoints for which the lifter has made allowance already, as part of the person's
            size.
        bone_share: Standard deviation of a bone's length about the one that the hypothesis states, as part of it.
        degrees_of_freedom: Of Student's t distribution of keypoint errors; fewer forgive more.
        mixing_exponent: How far the lifter's mixing coefficients are believed once the evidence speaks; 1 is fully.
        evidence_exponent: How far the evidence is believed that its joints are independent of each other and of what
            the lifter knows; 1 is fully.
    """

    expected_noise: float
    bone_share: float
    degrees_of_freedom: float
    mixing_exponent: float
    evidence_exponent: float


@cache
def fitted_numbers() -> FittedNumbers:
    """The numbers that ship."""
    text = (files("pose_mdn.refinement") / _FITTED).read_text(encoding="utf-8")
    return FittedNumbers(**tomllib.loads(text))


@dataclass(frozen=True, kw_only=True)
class RefinementSettings:
    """How to refine.

    Attributes:
        noise: Standard deviation of the keypoints per axis, as part of the diagonal of the box around the person. Usual
            detectors have 0.016; give 0.001 for keypoints from markers or drawn by hand with care.
        move: Whether hypotheses move towards the picture.
        reweight: Whether mixing coefficients follow the evidence.
        prior_weight: Weight of what the lifter said.
        evidence_weight: Weight of the picture, beyond what is fitted; 0 changes nothing.
        shrink: How far standard deviations follow the posterior covariance: at 0 they stay, at 1 they are multiplied by
            the root of the ratio of variances with and without the picture, as if it were news to the lifter.
        steps: Gauss-Newton steps.
        fitted: Numbers from data.

    Raises:
        InputError: A number is out of range.
    """

    noise: float = 0.016
    move: bool = True
    reweight: bool = True
    prior_weight: float = 1.0
    evidence_weight: float = 1.0
    shrink: float = 0.0
    steps: int = 5
    fitted: FittedNumbers = field(default_factory=fitted_numbers)

    def __post_init__(self) -> None:
        if not 0 < self.noise < 1:
            raise InputError(
                f"noise: expected a part of the person's size between 0 and 1, such as 0.016, got {self.noise:g}",
                field="noise",
            )
        for name in ("prior_weight", "evidence_weight", "shrink"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise InputError(f"{name}: expected a finite number of at least 0, got {value:g}", field=name)
        if self.steps < 1:
            raise InputError(f"steps: expected at least 1, got {self.steps}", field="steps")

    @property
    def news_weight(self) -> float:
        """Weight of keypoints beside a lifter that has seen them.

        Noise n weighs keypoints with 1 / n². The lifter has used them already as if their noise were n₀, so that they
        are news to the extent to which they are better than that: 1 / (1 + n² / n₀²) of their weight.
        """
        return self.evidence_weight / (1.0 + (self.noise / self.fitted.expected_noise) ** 2)
