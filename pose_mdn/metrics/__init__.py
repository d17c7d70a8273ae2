"""Metrics of poses, hypotheses and distributions. Millimetres; the field's standard names."""

from pose_mdn.metrics.accelerations import acceleration_error_mm_s2, acceleration_mm_s2, mpjve_mm
from pose_mdn.metrics.bodies import consecutive_runs, mpsce_mm, mpsse_mm
from pose_mdn.metrics.calibration import (
    QUANTILES,
    calibration_bias,
    coverage_at,
    coverage_curve,
    coverage_of_levels,
    expected_calibration_error,
    interval_levels,
)
from pose_mdn.metrics.correct_joints import AUC_THRESHOLDS_MM, PCK_JOINTS, auc, correct_poses_score, pck
from pose_mdn.metrics.hypotheses import best_of_m, best_of_most_probable, effective_hypotheses, top_1, win_rates
from pose_mdn.metrics.joint_errors import joint_errors_mm, mpjpe_mm, n_mpjpe_mm, pa_mpjpe_mm
from pose_mdn.metrics.proper_scores import mixture_crps
from pose_mdn.metrics.rank_correlation import rank_correlation

__all__ = [
    "AUC_THRESHOLDS_MM",
    "PCK_JOINTS",
    "QUANTILES",
    "acceleration_error_mm_s2",
    "acceleration_mm_s2",
    "auc",
    "best_of_m",
    "best_of_most_probable",
    "calibration_bias",
    "consecutive_runs",
    "correct_poses_score",
    "coverage_at",
    "coverage_curve",
    "coverage_of_levels",
    "effective_hypotheses",
    "expected_calibration_error",
    "interval_levels",
    "joint_errors_mm",
    "mixture_crps",
    "mpjpe_mm",
    "mpjve_mm",
    "mpsce_mm",
    "mpsse_mm",
    "n_mpjpe_mm",
    "pa_mpjpe_mm",
    "pck",
    "rank_correlation",
    "top_1",
    "win_rates",
]
