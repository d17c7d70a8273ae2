"""From hypotheses and truth to the figures of the field."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.errors import InputError
from pose_mdn.evaluation.figures import (
    AccuracyFigures,
    BodyFigures,
    DistributionFigures,
    EvaluationRow,
    Reliability,
    SpreadBins,
)
from pose_mdn.evaluation.measurements import SAMPLE_COUNTS, FloatArray, Measurements, measure
from pose_mdn.geometry.joint_limits import LIMIT_NAMES, within_limits
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

_LARGEST_BINS = 12
_JOINTS_PER_BIN = 32


def evaluate(
    name: str, hypotheses: HypothesisSequence, truth_m: NDArray[np.floating], *, seed: int = 0
) -> EvaluationRow:
    """Measure hypotheses against truth; arguments and errors as in `evaluate_by_action`."""
    return evaluate_by_action(name, hypotheses, truth_m, None, seed=seed)[0]


def evaluate_by_action(
    name: str,
    hypotheses: HypothesisSequence,
    truth_m: NDArray[np.floating],
    action: NDArray[np.str_] | None,
    *,
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> list[EvaluationRow]:
    """Measure hypotheses against truth, together and apart for each action.

    Args:
        name: Which views these are.
        hypotheses: N rows.
        truth_m: (N, 17, 3) true joints in the camera frame, metres; absolute or root-relative.
        action: (N,) what people did, if known.
        seed: Seed of the samples.
        on_progress: Called with the number of rows just measured, N in all.

    Returns:
        The row of all views, then one per action in alphabetical order; actions none of whose poses were lifted are
        left out.

    Raises:
        InputError: The truth has another shape, or no row was lifted.
    """
    expected = (len(hypotheses), *hypotheses.means_m.shape[2:])
    if truth_m.shape != expected:
        raise InputError(f"truth: expected shape {expected}, one pose per row of the result, got {truth_m.shape}")
    keep = hypotheses.lifted & np.isfinite(truth_m).all(axis=(1, 2))
    if not keep.any():
        raise InputError(f"{name}: expected at least one lifted pose with a finite truth, got none of {len(keep)}")
    truth = truth_m[keep].astype(np.float64)
    truth = truth - truth[:, :1]
    measured = measure(hypotheses.take(keep), truth, seed=seed, on_progress=on_progress)
    if on_progress is not None:
        on_progress(int(np.sum(~keep)))
    possible = np.asarray(within_limits(truth))
    rows = [_row(name, None, len(keep), measured, possible)]
    for label in sorted(set() if action is None else set(action[keep].tolist())):
        chosen = action[keep] == label  # type: ignore[index]  # there are labels only if there are actions
        rows.append(_row(name, label, int(np.sum(action == label)), measured.take(chosen), possible[chosen]))
    return rows


def _row(
    name: str, action: str | None, num_poses: int, measured: Measurements, possible: NDArray[np.bool_]
) -> EvaluationRow:
    return EvaluationRow(
        name=name,
        action=action,
        num_poses=num_poses,
        num_lifted=len(measured),
        accuracy=_accuracy(measured),
        distribution=_distribution(measured),
        body=_body(measured, possible),
    )


def _accuracy(measured: Measurements) -> AccuracyFigures:
    weights = measured.weights
    samples = measured.sample_errors.mean(axis=0)
    return AccuracyFigures(
        best_of_m=_average(metrics.best_of_m(measured.errors)),
        best_of_samples=float(samples[-1]),
        top_1=_average(metrics.top_1(measured.errors, weights)),
        mean=_average(measured.mixture_errors),
        pa_best_of_m=_average(metrics.best_of_m(measured.aligned_errors)),
        pa_top_1=_average(metrics.top_1(measured.aligned_errors, weights)),
        n_best_of_m=_average(metrics.best_of_m(measured.scaled_errors)),
        n_top_1=_average(metrics.top_1(measured.scaled_errors, weights)),
        pck_best=_average(metrics.pck(measured.best_joint_errors)),
        pck_top_1=_average(metrics.pck(measured.top_joint_errors)),
        auc_best=_average(metrics.auc(measured.best_joint_errors)),
        auc_top_1=_average(metrics.auc(measured.top_joint_errors)),
        cps_best=_average(measured.correct_scores.max(axis=1)),
        cps_top_1=_average(metrics.top_1(measured.correct_scores, weights)),
        best_of_most_probable=_numbers(metrics.best_of_most_probable(measured.errors, weights).mean(axis=0)),
        best_of_sample_counts={str(c): float(v) for c, v in zip(SAMPLE_COUNTS, samples, strict=True)},
        per_joint=_per_joint(measured),
    )


def _per_joint(measured: Measurements) -> dict[str, dict[str, float]]:
    columns = {
        "best_of_m": measured.best_joint_errors.mean(axis=0),
        "top_1": measured.top_joint_errors.mean(axis=0),
        "mean": measured.mixture_joint_errors.mean(axis=0),
    }
    return {
        joint: {name: float(column[index]) for name, column in columns.items()}
        for index, joint in enumerate(HUMAN36M17.joint_names)
    }


def _distribution(measured: Measurements) -> DistributionFigures:
    coverage = metrics.coverage_of_levels(measured.levels)
    flat = coverage.reshape(len(coverage), -1)
    sigma = np.sqrt(2.0 * measured.across**2 + measured.along**2)[:, 1:]
    pose_sigma = sigma.mean(axis=1)
    correlation = metrics.rank_correlation(sigma.ravel(), measured.mixture_joint_errors[:, 1:].ravel())
    return DistributionFigures(
        nll=_average(measured.nll),
        crps=_average(measured.crps),
        ece=metrics.expected_calibration_error(coverage),
        calibration_bias=metrics.calibration_bias(coverage),
        coverage_68=_average(measured.levels < 0.68),
        reliability=Reliability(
            levels=_numbers(metrics.QUANTILES),
            coverage=_numbers(np.median(flat, axis=1)),
            lowest=_numbers(flat.min(axis=1)),
            highest=_numbers(flat.max(axis=1)),
        ),
        across=_average(measured.across[:, 1:]),
        along=_average(measured.along[:, 1:]),
        sigma_rank_correlation=None if np.isnan(correlation) else correlation,
        mean_surest_half=_average(measured.mixture_errors[pose_sigma <= np.median(pose_sigma)]),
        spread_bins=_spread_bins(sigma.ravel(), measured.mixture_joint_errors[:, 1:].ravel()),
        effective_hypotheses=_average(metrics.effective_hypotheses(measured.weights)),
        win_rates=_numbers(metrics.win_rates(measured.errors)),
    )


def _spread_bins(sigma: FloatArray, errors: FloatArray) -> SpreadBins:
    order = np.argsort(sigma)
    bins = np.array_split(order, max(1, min(_LARGEST_BINS, len(order) // _JOINTS_PER_BIN)))
    return SpreadBins(
        stated=tuple(float(np.sqrt(np.mean(sigma[rows] ** 2))) for rows in bins),
        actual=tuple(float(np.sqrt(np.mean(errors[rows] ** 2))) for rows in bins),
    )


def _body(measured: Measurements, possible: NDArray[np.bool_]) -> BodyFigures:
    share = measured.beyond_limits.mean(axis=(0, 1))
    return BodyFigures(
        within_limits=_average(~np.any(measured.beyond_limits, axis=-1)),
        truth_within_limits=_average(possible),
        beyond_limits={name: float(value) for name, value in zip(LIMIT_NAMES, share, strict=True)},
        mpsse=_average(measured.asymmetry),
        mpsce=_mpsce(measured),
        reprojection_px=float(np.median(measured.reprojection_px)),
        flagged=_average(measured.flagged),
    )


def _mpsce(measured: Measurements) -> float | None:
    """Mean over runs of consecutive frames, each with the weight of its length."""
    runs = metrics.consecutive_runs(measured.frame, measured.person) if measured.in_film else []
    if not runs:
        return None
    lengths = [len(run) for run in runs]
    return float(np.average([metrics.mpsce_mm(measured.top_pose_m[run]) for run in runs], weights=lengths))


def _average(values: NDArray[np.floating] | NDArray[np.bool_]) -> float:
    return float(np.mean(values))


def _numbers(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
