"""What a check found, as plain values for machines and as lines for people."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection.diagnosis import FAULT_TEXT, Fault
from pose_mdn.reprojection.result import ReprojectionCheck
from pose_mdn.skeletons import HUMAN36M17

_DIGITS = 3


def check_document(hypotheses: HypothesisSequence, found: ReprojectionCheck) -> dict[str, object]:
    """JSON values: the verdict on all rows, and a list of rows with their hypotheses.

    Errors are in pixels and in parts of the person's size; numbers that do not exist are null.
    """
    return {
        "verdict": found.diagnosis.overall,
        "verdict_text": verdict_text(found) or None,
        "level": found.settings.level,
        "tolerance_of_size": found.settings.tolerance,
        "noise_of_size": found.settings.noise,
        "joint_names": list(HUMAN36M17.joint_names),
        "rows": [_row(hypotheses, found, row) for row in range(len(hypotheses))],
    }


def _row(hypotheses: HypothesisSequence, found: ReprojectionCheck, row: int) -> dict[str, object]:
    return {
        "frame": int(hypotheses.frame[row]),
        "person": int(hypotheses.person[row]),
        "status": str(hypotheses.status[row]),
        "fault": str(found.diagnosis.fault[row]) or None,
        "hypotheses": [
            {
                "probability": _number(hypotheses.mixing_coefficients[row, index]),
                "passes": bool(found.passes[row, index]),
                "reasons": list(found.reasons(row, index)),
                "rms_px": _number(found.agreement.rms_px[row, index]),
                "rms_of_size": _number(found.agreement.rms_of_size[row, index]),
                "allowed_of_size": _number(found.allowed_of_size[row, index]),
                "error_px": [_number(value) for value in found.agreement.error_px[row, index]],
                "within": [bool(value) for value in found.agreement.within[row, index]],
                "root_translation_m": [_number(value) for value in found.root_m[row, index]],
            }
            for index in range(hypotheses.num_hypotheses)
        ]
        if hypotheses.lifted[row]
        else [],
    }


def check_summary(hypotheses: HypothesisSequence, found: ReprojectionCheck) -> list[str]:
    """A few lines for people."""
    lifted = np.flatnonzero(hypotheses.lifted)
    if not lifted.size:
        return ["no row was lifted, so there is nothing to check"]
    best, top = found.agreement.rms_px[lifted], hypotheses.most_probable[lifted]
    of_size = found.agreement.rms_of_size[lifted]
    rows = np.arange(len(lifted))
    within = found.agreement.within[lifted, top][~np.isnan(found.agreement.distance[lifted, top])]
    return [
        f"{len(lifted)} of {len(hypotheses)} rows, {hypotheses.num_hypotheses} hypotheses each",
        (
            f"most probable hypothesis: median {_median(best[rows, top]):.1f} px, "
            f"{100 * _median(of_size[rows, top]):.1f} % of the person's size; "
            f"{100 * found.passes[lifted][rows, top].mean():.0f} % pass"
        ),
        (
            f"best hypothesis: median {_median(_least(best)):.1f} px, {100 * _median(_least(of_size)):.1f} %; "
            f"{100 * found.passes[lifted].any(axis=1).mean():.0f} % have one that passes"
        ),
        f"joints within the {100 * found.settings.level:g} % of their uncertainty: {100 * within.mean():.0f} %"
        if within.size
        else "no joint can be compared",
        *_fault_lines(found),
    ]


def verdict_text(found: ReprojectionCheck) -> str:
    """The verdict on all rows in words, and by how much where a number helps; empty if nothing can be said."""
    overall = found.diagnosis.overall
    if overall is None:
        return ""
    if overall == Fault.TURNED:
        return (
            f"{FAULT_TEXT[overall]}, turned by about {np.rad2deg(np.nanmedian(found.diagnosis.turn_rad)):.0f} degrees"
        )
    if overall != Fault.CAMERA:
        return FAULT_TEXT[overall]
    scale, shift = np.nanmedian(found.diagnosis.scale), np.nanmedian(found.diagnosis.shift_of_size, axis=0)
    return (
        f"{FAULT_TEXT[overall]}: people are {scale:.2f} times as large as projected and {100 * shift[0]:+.0f}, "
        f"{100 * shift[1]:+.0f} % of their size beside (right, down)"
    )


def _fault_lines(found: ReprojectionCheck) -> list[str]:
    faults = Counter(str(fault) for fault in found.diagnosis.fault if fault and fault != Fault.NONE)
    lines = [f"{count} rows: {FAULT_TEXT[Fault(fault)]}" for fault, count in faults.most_common()]
    text = verdict_text(found)
    return [*lines, *([f"verdict: {text}"] if text else [])]


def _least(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.nanmin(np.where(np.isnan(values).all(axis=1, keepdims=True), np.inf, values), axis=1))


def _median(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _number(value: float) -> float | None:
    return round(float(value), _DIGITS) if np.isfinite(value) else None
