"""How views are fused, and the few numbers that were fitted."""

from dataclasses import dataclass
from typing import Literal, get_args

from pose_mdn.errors import InputError

Method = Literal["posterior", "consistency", "triangulation"]
"""`posterior`: the product of the views' mixtures and the pixels. `consistency`: per view the hypothesis that agrees
best with those of the others, then their mean (Li and Lee, CVPR 2019). `triangulation`: pixels alone."""

METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, kw_only=True)
class FusionSettings:
    """What a user may choose.

    Attributes:
        method: How to fuse.
        noise: Standard deviation of keypoints per axis, as part of the diagonal of the box around the person.
        num_hypotheses: K, most components of an answer.
        reject: Whether views that do not show the person that the others show are left out, and exchanged sides put
            right.
    """

    method: Method = "posterior"
    noise: float = 0.012
    num_hypotheses: int = 5
    reject: bool = True

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            message = f"method: expected one of {', '.join(METHODS)}, got {self.method!r}"
            raise InputError(message, field="method")
        if not 0 < self.noise < 1:
            raise InputError(
                f"noise: expected a part of the person's size between 0 and 1, such as 0.012, got {self.noise:g}",
                field="noise",
            )
        if not 1 <= self.num_hypotheses <= 32:
            raise InputError(
                f"num_hypotheses: expected 1 to 32, got {self.num_hypotheses}", field="num_hypotheses"
            )


@dataclass(frozen=True, kw_only=True)
class Tempering:
    """What keeps products of dependent views from being too sure; fitted on virtual views of validation subjects.

    Attributes:
        pixel_noise: Factor on the standard deviation of keypoints.
        floor_m: Added in quadrature to the lifter's standard deviations once there are two views: what all views of a
            person have wrong in common.
        pelvis: Standard deviation across the line of sight of where a lifted pelvis is, in those of its keypoint.
        distance: The same along it, as part of the distance.
        evidence: Exponent on the evidence of combinations: errors of neighbouring joints are one error.
        tail: Degrees of freedom of the keypoints' noise (Student's t).
        covariance: Factor on covariances for one, two, three, ... views; the last for more.
    """

    pixel_noise: float = 0.85
    floor_m: float = 0.02
    pelvis: float = 1.0
    distance: float = 0.07
    evidence: float = 0.3
    tail: float = 12.0
    lifted_tail: float = 30.0
    covariance: tuple[float, ...] = (1.0,)


TEMPERING = Tempering()
