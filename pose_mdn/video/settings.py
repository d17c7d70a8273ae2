"""What smoothing assumes. The values were fitted on clips of the validation motions; see docs/video.md."""

from dataclasses import dataclass

from pose_mdn.errors import InputError


def _require_above_zero(settings: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{name}: expected a number above 0, got {value:g}", field=name)


@dataclass(frozen=True, kw_only=True)
class SmoothingSettings:
    """How hypotheses are linked and smoothed. Pairs are across and along the line of sight.

    Attributes:
        fps: Frames per second; what the file says, or 30, if left out.
        max_gap_s: After a longer time without a person, a new segment begins.
        cut: Half of the joints jumping further than this between neighbouring frames, as part of the person's size,
            begin a new segment.
        independent: Factors from stated variances to those that are drawn anew in every frame, and average out.
        lasting: Factors from stated variances to those that neighbouring frames have in common, and smoothing leaves.
        liveliness: Factor on the intensities of the motion model.
        agility_m_s: Mean speed of the joints at which intensities double: who moves fast also turns fast.
        link_noise: Factor from stated variances to those by which linked hypotheses differ.
        link_speed_m_s: Speed at which joints move from a hypothesis to the one linked to it.
        link_temperature: Divides the log-densities of differences: joints don't move independently of each other.
        trust: Exponent of the mixing coefficients: neighbouring frames mistake hypotheses together.
    """

    fps: float | None = None
    max_gap_s: float = 0.5
    cut: float = 0.12
    independent: tuple[float, float] = (1.0, 0.5)
    lasting: tuple[float, float] = (0.6, 0.95)
    liveliness: float = 0.5
    agility_m_s: float = 2.0
    link_noise: float = 2.0
    link_speed_m_s: float = 1.0
    link_temperature: float = 2.0
    trust: float = 2.0

    def __post_init__(self) -> None:
        _require_above_zero(
            self, ("fps", "max_gap_s", "cut", "liveliness", "agility_m_s", "link_speed_m_s", "link_temperature")
        )


AFTER_KEYPOINTS = SmoothingSettings(
    independent=(1.5, 0.4),
    lasting=(2.3, 1.9),
    liveliness=0.25,
    agility_m_s=0.5,
    link_noise=1.0,
    link_speed_m_s=2.5,
    link_temperature=4.0,
    trust=0.3,
)
"""For hypotheses that were lifted from keypoints that are smooth already."""

AFTER_FUSION = SmoothingSettings(independent=(1.0, 1.0), lasting=(0.1, 0.1), liveliness=2.0)
"""For poses that several views were fused into: most of their errors are the detectors', new in every frame."""


@dataclass(frozen=True, kw_only=True)
class KeypointSettings:
    """How keypoints are smoothed before they are lifted. Sizes are parts of the person's size in the picture.

    Attributes:
        noise: Standard deviation of the detector per axis, outliers included; found from the film if left out.
        tails: Degrees of freedom of its errors' t distribution; few mean that outliers are common.
        acceleration: Intensity of the motion model for who hardly moves, size²/s³.
        agility: Root mean square speed of the joints at which it doubles, size/s.
        reach_s: How far in time neighbours matter.
        max_fill_std: Joints that are missing are filled from neighbouring frames if these tell them as well as this.
    """

    noise: float | None = None
    tails: float = 4.0
    acceleration: float = 0.1
    agility: float = 0.12
    reach_s: float = 0.5
    max_fill_std: float = 0.04

    def __post_init__(self) -> None:
        _require_above_zero(self, ("noise", "tails", "acceleration", "agility", "reach_s"))
