"""Metrics of poses, hypotheses and distributions. Millimetres; the field's standard names."""

from pose_mdn.metrics.calibration import coverage_at, coverage_curve, expected_calibration_error
from pose_mdn.metrics.hypotheses import best_of_m, effective_hypotheses, mpsse_mm, top_1, win_rates
from pose_mdn.metrics.joint_errors import mpjpe_mm, n_mpjpe_mm, pa_mpjpe_mm

__all__ = [
    "best_of_m",
    "coverage_at",
    "coverage_curve",
    "effective_hypotheses",
    "expected_calibration_error",
    "mpjpe_mm",
    "mpsse_mm",
    "n_mpjpe_mm",
    "pa_mpjpe_mm",
    "top_1",
    "win_rates",
]
