"""The figures of one set of views: the field's table, by theme."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AccuracyFigures:
    """How near answers are: millimetres over root-relative poses, the pelvis counted with error 0.

    Attributes:
        best_of_m: MPJPE of the best component mean, chosen with the truth at hand.
        best_of_samples: MPJPE of the best of 200 samples of the mixture.
        top_1: MPJPE of the most probable component's mean.
        mean: MPJPE of the mixture's mean.
        pa_best_of_m: PA-MPJPE of the best mean after each is aligned.
        pa_top_1: PA-MPJPE of the most probable component's mean.
        n_best_of_m: N-MPJPE (scale-aligned) of the best mean.
        n_top_1: N-MPJPE of the most probable component's mean.
        pck_best: Share of 14 joints within 150 mm, of the component with the smallest MPJPE.
        pck_top_1: The same of the most probable component.
        auc_best: Mean of that share over thresholds from 0 to 150 mm.
        auc_top_1: The same of the most probable component.
        cps_best: Correct poses score, of 300, of the best component.
        cps_top_1: The same of the most probable component.
        best_of_most_probable: Best MPJPE of the 1, 2, ..., M most probable components.
        best_of_sample_counts: Best MPJPE by number of samples.
        per_joint: Errors of each joint: `best_of_m`, `top_1` and `mean`.
    """

    best_of_m: float
    best_of_samples: float
    top_1: float
    mean: float
    pa_best_of_m: float
    pa_top_1: float
    n_best_of_m: float
    n_top_1: float
    pck_best: float
    pck_top_1: float
    auc_best: float
    auc_top_1: float
    cps_best: float
    cps_top_1: float
    best_of_most_probable: tuple[float, ...]
    best_of_sample_counts: Mapping[str, float]
    per_joint: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """What share of truths lies within stated intervals; below the level, intervals are too narrow.

    Attributes:
        levels: Levels of the intervals, 0 to 1.
        coverage: Median share over joints and coordinates.
        lowest: Share of the joint and coordinate with the smallest.
        highest: Share of the joint and coordinate with the largest.
    """

    levels: tuple[float, ...]
    coverage: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SpreadBins:
    """Joints sorted by stated standard deviation, in bins of equal size.

    Attributes:
        stated: Root mean square of the stated standard deviation (3D) in each bin, millimetres.
        actual: Root mean square of the error of the mixture's mean, millimetres.
    """

    stated: tuple[float, ...]
    actual: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class DistributionFigures:
    """Whether the stated distribution is right.

    Attributes:
        nll: Negative log-likelihood of the truth, nats per coordinate (metres).
        crps: Continuous ranked probability score, millimetres per coordinate.
        ece: Expected calibration error, 200 samples.
        calibration_bias: Mean signed difference of coverage from its level; below 0 is overconfident.
        coverage_68: Share of coordinates within their stated 68 % interval.
        reliability: Coverage at every level.
        across: Mean standard deviation across the line of sight, millimetres.
        along: Mean standard deviation along the line of sight, millimetres.
        sigma_rank_correlation: Spearman's correlation of joints' stated standard deviations with their errors.
        mean_surest_half: MPJPE of the mixture's mean over the half of the poses that are stated to be surest.
        spread_bins: Error against stated standard deviation.
        effective_hypotheses: Mean exponential of the entropy of the mixing coefficients.
        win_rates: How often each component is the best.
    """

    nll: float
    crps: float
    ece: float
    calibration_bias: float
    coverage_68: float
    reliability: Reliability
    across: float
    along: float
    sigma_rank_correlation: float | None
    mean_surest_half: float
    spread_bins: SpreadBins
    effective_hypotheses: float
    win_rates: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class BodyFigures:
    """Whether answers are bodies, and whether they fit the picture.

    Attributes:
        within_limits: Share of hypotheses all of whose joint directions are anatomically possible.
        truth_within_limits: The same share of the truth.
        beyond_limits: Share of hypotheses that exceed each limit.
        mpsse: Left-right asymmetry of the component means, millimetres.
        mpsce: How much the bones of the most probable means change over time, millimetres; None without a film.
        reprojection_px: Median distance to the observed joints, pixels.
        flagged: Share of poses whose keypoints the model takes for no person.
    """

    within_limits: float
    truth_within_limits: float
    beyond_limits: Mapping[str, float]
    mpsse: float
    mpsce: float | None
    reprojection_px: float
    flagged: float


@dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """Figures of one set of views.

    Attributes:
        name: Which views.
        action: What people did in them; None for all actions together.
        num_poses: Poses asked for.
        num_lifted: Poses that were lifted and have a finite truth; the figures are over these.
        accuracy: How near.
        distribution: How honest.
        body: How possible.
    """

    name: str
    action: str | None
    num_poses: int
    num_lifted: int
    accuracy: AccuracyFigures
    distribution: DistributionFigures
    body: BodyFigures

    @property
    def label(self) -> str:
        """Name and, if there is one, action."""
        return self.name if self.action is None else f"{self.name} / {self.action}"

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON, the themes' figures side by side."""
        plain = dataclasses.asdict(self)
        return {
            **{key: plain[key] for key in ("name", "action", "num_poses", "num_lifted")},
            **{key: value for theme in ("accuracy", "distribution", "body") for key, value in plain[theme].items()},
        }
