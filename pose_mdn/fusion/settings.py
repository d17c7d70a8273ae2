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
        noise: Standard deviation of keypoints per axis, as part of the diagonal of the box around the person; estimated
            from how well the views agree if `None`.
        num_hypotheses: K, most components of an answer.
        reject: Whether views that do not show the person that the others show are left out, and exchanged sides put
            right.
    """

    method: Method = "posterior"
    noise: float | None = None
    num_hypotheses: int = 5
    reject: bool = True

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            message = f"method: expected one of {', '.join(METHODS)}, got {self.method!r}"
            raise InputError(message, field="method")
        if self.noise is not None and not 0 < self.noise < 1:
            raise InputError(
                f"noise: expected a part of the person's size between 0 and 1, such as 0.012, got {self.noise:g}",
                field="noise",
            )
        if not 1 <= self.num_hypotheses <= 32:
            raise InputError(f"num_hypotheses: expected 1 to 32, got {self.num_hypotheses}", field="num_hypotheses")


@dataclass(frozen=True, kw_only=True)
class Tempering:
    """What keeps products of dependent views from being too sure.

    Fitted with 24 rigs of virtual cameras around 960 validation poses with varied bodies, on which the lifter errs as
    much as on subjects that it does not know; errors were flat around these values.

    Attributes:
        pixel_noise: Factor on the standard deviation of keypoints.
        tail: Degrees of freedom of their noise, which is Student's t.
        lifted_tail: The same for lifted joints, whose keypoints were gross errors.
        floor_m: Added in quadrature to the lifter's standard deviations where there are two views: what the lifter has
            wrong in all views alike.
        pelvis: Standard deviation across the line of sight of where a lifted pelvis is, in those of its keypoint.
        distance: The same along it, as part of the distance: the spread of people's sizes.
        evidence: Exponent on the evidence of combinations: errors of neighbouring joints are one error.
        joint_covariance: Factor on the covariance of a joint that one, two, ... views see; the last for more.
        pelvis_covariance: Factor on that of the pelvis's place likewise.
    """

    pixel_noise: float = 0.85
    tail: float = 12.0
    lifted_tail: float = 30.0
    floor_m: float = 0.02
    pelvis: float = 1.2
    distance: float = 0.07
    evidence: float = 0.3
    joint_covariance: tuple[float, ...] = (1.0, 1.39, 1.69, 1.90, 2.08, 2.25, 2.41, 2.56)
    pelvis_covariance: tuple[float, ...] = (1.0, 2.5, 3.6, 4.2, 4.8, 5.3, 5.9, 6.4)


TEMPERING = Tempering()
