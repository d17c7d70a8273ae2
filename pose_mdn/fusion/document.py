"""What was fused, for people and for machines."""

from collections import Counter

import numpy as np

from pose_mdn.poses.fused import VIEW_STATUS_TEXT, FusedPoseSequence, FusionStatus, ViewStatus
from pose_mdn.skeletons import HUMAN36M17

_OFTEN = 0.5
"""Part of the frames from which a view's fault is the rig's, not the moment's."""
_HINTS = {
    ViewStatus.LEFT_OUT: "is it the right camera of the calibration, the right --offset, and are people numbered alike "
    "in all views?",
    ViewStatus.SIDES_EXCHANGED: "is its picture mirrored, or its detector's left the picture's left?",
}


def fusion_document(fused: FusedPoseSequence) -> dict[str, object]:
    """For machines: counts by view, and what was wrong in which rows."""
    rows = [
        {"frame": int(fused.frame[row]), "person": int(fused.person[row]), "reasons": list(fused.reasons(row))}
        for row in range(len(fused))
    ]
    return {
        "rows": len(fused),
        "status": dict(Counter(map(str, fused.status))),
        "method": fused.method,
        "views": {
            name: {
                "status": dict(Counter(map(str, fused.view_status[:, view]))),
                "agreement": _median(fused.agreement[:, view]),
                "disbelieved": _disbelieved(fused, view),
            }
            for view, name in enumerate(fused.views)
        },
        "faults": [row for row in rows if row["reasons"]],
    }


def fusion_summary(fused: FusedPoseSequence) -> list[str]:
    """For people: a line for all, and some for each view."""
    counts = Counter(map(str, fused.status))
    texts = {
        FusionStatus.FUSED: "fused from two views or more",
        FusionStatus.SINGLE_VIEW: "from a single view",
        FusionStatus.NO_VIEW: "without a view",
    }
    told = [f"{counts[status]} {text}" for status, text in texts.items() if counts[status]]
    lines = [f"{len(fused)} rows: {', '.join(told) or 'nobody'}"]
    for view, name in enumerate(fused.views):
        lines += _view_summary(fused, view, name)
    return lines


def _view_summary(fused: FusedPoseSequence, view: int, name: str) -> list[str]:
    counts = Counter(map(str, fused.view_status[:, view]))
    told = [f"{counts[status]} {VIEW_STATUS_TEXT[status]}" for status in ViewStatus if counts[status]]
    agreement = _median(fused.agreement[:, view])
    lines = [f"  {name}: {'; '.join(told)}" + ("" if agreement is None else f" (agreement {agreement:.2f})")]
    shown = sum(counts[status] for status in ViewStatus if status != ViewStatus.ABSENT)
    lines += [f"    {hint}" for status, hint in _HINTS.items() if shown and counts[status] > _OFTEN * shown]
    disbelieved = _disbelieved(fused, view)
    if disbelieved:
        joints = ", ".join(f"{joint} {count}" for joint, count in list(disbelieved.items())[:4])
        lines.append(f"    keypoints disbelieved: {joints}" + (", ..." if len(disbelieved) > 4 else ""))
    return lines


def _disbelieved(fused: FusedPoseSequence, view: int) -> dict[str, int]:
    """How often each joint's keypoint was not believed, most often first."""
    counts = fused.gross_errors[:, view].sum(axis=0)
    order = [joint for joint in np.argsort(-counts, kind="stable").tolist() if counts[joint]]
    return {HUMAN36M17.joint_names[joint]: int(counts[joint]) for joint in order}


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None
