"""One row of the field's table, from hypotheses and truth."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.distributions import PoseMixture
from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence

_SAMPLES = 200
_SLICE = 512


@dataclass(frozen=True, kw_only=True)
class EvaluationRow:
    """Figures of one set of views; lengths in millimetres over root-relative poses, the pelvis counted with error 0.

    Attributes:
        name: Which views.
        num_poses: Poses asked for.
        num_lifted: Poses that were lifted; the figures are over these.
        best_of_m: MPJPE of the best component mean, chosen with the truth at hand.
        top_1: MPJPE of the most probable component's mean.
        mean: MPJPE of the mixture's mean.
        pa_best_of_m: PA-MPJPE of the best mean after each is aligned.
        pa_top_1: PA-MPJPE of the most probable component's mean.
        n_top_1: N-MPJPE (scale-aligned) of the most probable component's mean.
        nll: Negative log-likelihood of the truth, nats per coordinate (metres).
        ece: Expected calibration error, 200 samples.
        coverage_68: Share of coordinates within their stated 68 % interval.
        mpsse: Left-right asymmetry of the means.
        effective_hypotheses: Mean exponential of the entropy of the mixing coefficients.
        win_rates: How often each component is the best.
        reprojection_px: Median reprojection error.
    """

    name: str
    num_poses: int
    num_lifted: int
    best_of_m: float
    top_1: float
    mean: float
    pa_best_of_m: float
    pa_top_1: float
    n_top_1: float
    nll: float
    ece: float
    coverage_68: float
    mpsse: float
    effective_hypotheses: float
    win_rates: tuple[float, ...]
    reprojection_px: float

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def evaluate(
    name: str, hypotheses: HypothesisSequence, truth_m: NDArray[np.floating], *, seed: int = 0
) -> EvaluationRow:
    """Measure hypotheses against truth.

    Args:
        name: Which views these are.
        hypotheses: N rows.
        truth_m: (N, 17, 3) true joints in the camera frame, metres; absolute or root-relative.
        seed: Seed of the samples that measure calibration.

    Raises:
        InputError: The truth has another shape, or no row was lifted.
    """
    expected = (len(hypotheses), *hypotheses.means_m.shape[2:])
    if truth_m.shape != expected:
        raise InputError(f"truth: expected shape {expected}, one pose per row of the result, got {truth_m.shape}")
    keep = hypotheses.lifted & np.isfinite(truth_m).all(axis=(1, 2))
    if not keep.any():
        raise InputError(f"{name}: expected at least one lifted pose with a finite truth, got none of {len(keep)}")
    rows = hypotheses.take(keep)
    truth = truth_m[keep].astype(np.float64)
    truth = truth - truth[:, :1]
    means, weights = rows.means_m.astype(np.float64), rows.mixing_coefficients.astype(np.float64)
    mixture = PoseMixture(rows)
    errors = metrics.mpjpe_mm(means, truth[:, None])
    aligned = metrics.pa_mpjpe_mm(means, np.broadcast_to(truth[:, None], means.shape))
    coverage = _coverage(rows, truth, seed)
    return EvaluationRow(
        name=name,
        num_poses=len(keep),
        num_lifted=int(keep.sum()),
        best_of_m=_average(metrics.best_of_m(errors)),
        top_1=_average(metrics.top_1(errors, weights)),
        mean=_average(metrics.mpjpe_mm(mixture.mean_m, truth)),
        pa_best_of_m=_average(metrics.best_of_m(aligned)),
        pa_top_1=_average(metrics.top_1(aligned, weights)),
        n_top_1=_average(metrics.top_1(metrics.n_mpjpe_mm(means, truth[:, None]), weights)),
        nll=_average(-mixture.log_prob(truth) / mixture.dimensions),
        ece=metrics.expected_calibration_error(coverage),
        coverage_68=metrics.coverage_at(coverage, 0.68),
        mpsse=_average(metrics.mpsse_mm(means)),
        effective_hypotheses=_average(metrics.effective_hypotheses(weights)),
        win_rates=tuple(round(float(rate), 4) for rate in metrics.win_rates(errors)),
        reprojection_px=float(np.median(rows.reprojection_error_px)),
    )


def evaluate_by_action(
    name: str, hypotheses: HypothesisSequence, truth_m: NDArray[np.floating], action: NDArray[np.str_], *, seed: int = 0
) -> list[EvaluationRow]:
    """One row per action, in alphabetical order; actions none of whose poses were lifted are left out."""
    rows = []
    for label in sorted(set(action.tolist())):
        chosen = action == label
        if hypotheses.lifted[chosen].any():
            rows.append(evaluate(f"{name} / {label}", hypotheses.take(chosen), truth_m[chosen], seed=seed))
    return rows


def _coverage(rows: HypothesisSequence, truth: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Coverage of all rows, in slices so that memory stays bounded whatever N."""
    rng = np.random.default_rng(seed)
    total = np.zeros(())
    for start in range(0, len(rows), _SLICE):
        part = rows.take(slice(start, start + _SLICE))
        samples = PoseMixture(part).sample(_SAMPLES, rng)[..., 1:, :]
        total = total + metrics.coverage_curve(samples, truth[start : start + _SLICE, 1:]) * len(part)
    return np.asarray(total / len(rows))


def _average(values: NDArray[np.floating]) -> float:
    return float(np.mean(values))
