"""Settings of the virtual cameras, bodies and detectors that turn motion data into training views."""

from dataclasses import dataclass, field
from typing import Self

from pose_mdn.config.ranges import require


@dataclass(frozen=True, kw_only=True)
class BodyConfig:
    """Variation of bodies beyond those in the data. Probabilities are per view."""

    distinct_share: float = 0.5
    """Part of the bodies drawn evenly over distinct poses rather than over frames, most of which are walking."""
    upper_body_exchange_probability: float = 0.15
    """Chance that everything above the hips is taken from another pose, turned to fit."""
    limb_exchange_probability: float = 0.15
    """Chance, for each limb, that it is taken from another pose, turned with the hips or shoulders that carry it."""
    direction_jitter_rad: float = 0.06
    """Standard deviation of the random turn of each bone."""
    bone_length_log_std: float = 0.06
    """Log-normal spread of each left-right symmetric bone length."""
    body_scale: tuple[float, float] = (0.88, 1.14)
    """Range of the uniform factor on the whole body."""
    tumble_probability: float = 0.04
    """Chance that the whole body is turned about a random horizontal axis, as people who lie or fall are."""

    def __post_init__(self) -> None:
        for name in (
            "distinct_share",
            "upper_body_exchange_probability",
            "limb_exchange_probability",
            "tumble_probability",
        ):
            require(0.0 <= getattr(self, name) <= 1.0, name, "in [0, 1]", getattr(self, name))
        require(0 < self.body_scale[0] <= self.body_scale[1], "body_scale", "0 < low <= high", self.body_scale)

    @classmethod
    def as_measured(cls, *, distinct_share: float = 0.5) -> Self:
        """Bodies as the data have them, varied in nothing."""
        return cls(
            distinct_share=distinct_share,
            upper_body_exchange_probability=0.0,
            limb_exchange_probability=0.0,
            direction_jitter_rad=0.0,
            bone_length_log_std=0.0,
            body_scale=(1.0, 1.0),
            tumble_probability=0.0,
        )


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """Where virtual cameras stand. Angles in radians, distances in metres."""

    pitch_rad: tuple[float, float] = (-0.20, 0.75)
    """Range of the downward tilt."""
    roll_std_rad: float = 0.06
    """Standard deviation of the roll; one view in ten gets five times as much."""
    distance_m: tuple[float, float] = (2.0, 9.0)
    """Range of the distance to the pelvis, log-uniform."""
    off_centre_rad: float = 0.35
    """Largest angle between the optical axis and the pelvis."""

    def __post_init__(self) -> None:
        require(0 < self.distance_m[0] <= self.distance_m[1], "distance_m", "0 < low <= high", self.distance_m)
        require(0 <= self.off_centre_rad < 1.2, "off_centre_rad", "in [0, 1.2)", self.off_centre_rad)


@dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """What detectors send: layouts, noise, outliers, missing joints and confidences."""

    clean_probability: float = 0.15
    """Chance that a view has no noise at all."""
    noise: tuple[float, float] = (0.004, 0.045)
    """Range (log-uniform, per view) of the standard deviation of keypoints, in parts of the person's size."""
    outlier_probability: float = 0.03
    """Chance that a joint's noise is six times as large."""
    graded_confidence_probability: float = 0.5
    """Chance that a view's confidences vary and foretell its noise; otherwise every visible joint has 1."""
    girdle_drift_probability: float = 0.25
    """Chance that a noisy view's hips and shoulders are drawn where other data sets have them."""
    side_swap_probability: float = 0.01
    """Chance that a noisy view's legs, and apart its arms, have left and right exchanged."""
    false_detection_probability: float = 0.02
    """Chance that the keypoints are no person at all, while the truth is a person they do not show."""
    missing_probability: float = 0.4
    """Chance that a view misses joints: one to four, a limb, the lower body, or all beyond the picture's edge."""
    pelvis_between_hips_probability: float = 0.15
    """Chance that a Human3.6M-17 detector puts the pelvis half-way between the hips."""
    layout_weights: tuple[float, float, float, float] = (0.5, 0.32, 0.1, 0.08)
    """Shares of Human3.6M-17, COCO-like, Halpe-like and MPII-like layouts."""

    def __post_init__(self) -> None:
        require(0 < self.noise[0] <= self.noise[1], "noise", "0 < low <= high", self.noise)
        require(min(self.layout_weights) >= 0 < sum(self.layout_weights), "layout_weights", ">= 0", self.layout_weights)

    @classmethod
    def exact(cls, *, layout_weights: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)) -> Self:
        """A detector that sees every joint of its layouts where it is, in Human3.6M-17 if none is named."""
        return cls(
            clean_probability=1.0,
            graded_confidence_probability=0.0,
            girdle_drift_probability=0.0,
            side_swap_probability=0.0,
            false_detection_probability=0.0,
            missing_probability=0.0,
            pelvis_between_hips_probability=0.0,
            layout_weights=layout_weights,
        )


@dataclass(frozen=True, kw_only=True)
class ViewConfig:
    """How training views are made of motion data."""

    body: BodyConfig = field(default_factory=BodyConfig)
    """Variation of bodies."""
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Variation of cameras."""
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    """Variation of detectors."""
