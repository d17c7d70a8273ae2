"""Why hypotheses and keypoints disagree: what would have to be undone for them to agree.

Letters in shapes: N rows, M hypotheses, J = 17 joints.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pose_mdn.reprojection.agreement import Float64Array, person_size_px
from pose_mdn.reprojection.moments import point_moments
from pose_mdn.skeletons import HUMAN36M17

AGREES_BELOW = 0.04
"""Of the person's size: a smaller RMS error is what keypoints of usual detectors are wrong by."""
_BETTER = 0.7
"""An explanation must leave no more than this part of the error."""
_PRICE_OF_CAMERA = 1.3
"""Any disagreement shrinks if scale and place may be chosen; another explanation that is as good is the right one."""
_FLIP = list(HUMAN36M17.flip_indices)


class Fault(StrEnum):
    """What is wrong."""

    NONE = "none"
    SIDES = "sides_exchanged"
    MIRRORED = "mirrored"
    CAMERA = "another_camera"
    UNKNOWN = "unexplained"


EXPLANATIONS = (Fault.NONE, Fault.SIDES, Fault.MIRRORED, Fault.CAMERA)
"""What is tried."""

FAULT_TEXT = {
    Fault.NONE: "agrees with the picture",
    Fault.SIDES: "left and right are exchanged between the hypotheses and these keypoints",
    Fault.MIRRORED: "the picture of these keypoints is mirrored",
    Fault.CAMERA: "this is another camera, or the same with other intrinsics, than that of the hypotheses",
    Fault.UNKNOWN: "disagrees with these keypoints, and neither sides, mirroring nor scale and place explain it",
}
"""What people are told."""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What is wrong with each row and with all of them.

    Attributes:
        fault: (N,) values of `Fault`; "" for rows about which nothing can be said.
        overall: The fault that most rows have together; `None` if nothing can be said of any row.
        rms_of_size: Best hypothesis's RMS error over the person's size, (N,) each, by what was undone.
        scale: (N,) by how much larger the person is in the keypoints than in the projection.
        shift_of_size: (N, 2) how far the person is moved from there, after scaling, in parts of the size.
    """

    fault: NDArray[np.str_]
    overall: Fault | None
    rms_of_size: dict[Fault, Float64Array]
    scale: Float64Array
    shift_of_size: Float64Array


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """How well each explanation fits, before it is decided which one it is.

    Attributes:
        rms_of_size: (N, F) best hypothesis's RMS error over the person's size, in the order of `EXPLANATIONS`.
        scale: (N,) by how much larger the person is in the keypoints than in the projection.
        shift_of_size: (N, 2) how far the person is moved from there, after scaling, in parts of the size.
    """

    rms_of_size: Float64Array
    scale: Float64Array
    shift_of_size: Float64Array


def explain(
    points_px: Float64Array, keypoints_px: Float64Array, confidence: Float64Array, mirror_axis_px: Float64Array
) -> Explanations:
    """Try every explanation.

    Args:
        points_px: (N, M, 17, 2) projected hypotheses.
        keypoints_px: (N, 17, 2) what was seen.
        confidence: (N, 17); 0 means missing.
        mirror_axis_px: (N,) u about which a mirrored picture would have been turned.
    """
    seen = (confidence > 0) & np.isfinite(keypoints_px).all(axis=-1)
    size = person_size_px(keypoints_px, seen)
    # Squares are expanded below, which loses fewest digits about the person's own place.
    middle = _middle(keypoints_px, seen)
    weight = np.where(seen, confidence, 0.0).astype(np.float64)
    keypoints = np.where(seen[..., None], keypoints_px - middle[:, None], 0.0)
    turned = np.stack([2.0 * (mirror_axis_px - middle[:, 0])[:, None] - keypoints[..., 0], keypoints[..., 1]], axis=-1)
    moments = point_moments(points_px - middle[:, None, None])
    rms = [
        _smallest(moments.rms_to(keypoints, weight)),
        _smallest(moments.rms_to(keypoints[:, _FLIP], weight[:, _FLIP])),
        # A detector that looks at a mirrored picture calls the left arm right; mirrored coordinates keep their names.
        np.fmin(
            _smallest(moments.rms_to(turned[:, _FLIP], weight[:, _FLIP])), _smallest(moments.rms_to(turned, weight))
        ),
    ]
    fit = moments.scale_and_shift(keypoints, weight)
    best = np.where(np.isnan(fit.rms), np.inf, fit.rms).argmin(axis=1)
    rows = np.arange(len(best))
    return Explanations(
        rms_of_size=np.stack([*rms, fit.rms[rows, best]], axis=-1) / size[:, None],
        scale=fit.scale[rows, best],
        shift_of_size=fit.shift_px[rows, best] / size[:, None],
    )


def conclude(explanations: Explanations, tolerance: float = AGREES_BELOW) -> Diagnosis:
    """Take the explanation that leaves least, for each row and for all of them together.

    Args:
        explanations: How well each fits.
        tolerance: RMS error, as part of the person's size, up to which nothing needs explaining.
    """
    relative = dict(zip(EXPLANATIONS, explanations.rms_of_size.T, strict=True))
    return Diagnosis(
        fault=_decide(relative, tolerance),
        overall=_overall(relative, tolerance),
        rms_of_size=relative,
        scale=explanations.scale,
        shift_of_size=explanations.shift_of_size,
    )


def _middle(keypoints_px: Float64Array, seen: NDArray[np.bool_]) -> Float64Array:
    """(N, 2) mean of the joints that are seen; NaN if none is."""
    with np.errstate(invalid="ignore"):
        total = np.where(seen[..., None], keypoints_px, 0.0).sum(axis=1)
        return np.asarray(total / seen.sum(axis=1)[:, None])


def _smallest(values: Float64Array) -> Float64Array:
    """(N,) smallest of (N, M) numbers; NaN only if all are."""
    smallest = np.where(np.isnan(values), np.inf, values).min(axis=1)
    return np.where(np.isfinite(smallest), smallest, np.nan)


def _decide(relative: dict[Fault, Float64Array], tolerance: float) -> NDArray[np.str_]:
    direct = relative[Fault.NONE]
    candidates = EXPLANATIONS[1:]
    price = np.array([1.0, 1.0, _PRICE_OF_CAMERA])[:, None]
    left = np.stack([relative[fault] for fault in candidates]) * price
    left = np.where(np.isnan(left), np.inf, left)
    explained = left.min(axis=0) <= _BETTER * direct
    named = np.where(
        explained, np.array([str(fault) for fault in candidates])[left.argmin(axis=0)], Fault.UNKNOWN.value
    )
    return np.where(np.isnan(direct), "", np.where(direct <= tolerance, Fault.NONE.value, named))


def _overall(relative: dict[Fault, Float64Array], tolerance: float) -> Fault | None:
    """One verdict on all rows: medians show what single rows, whose limbs may cover each other, cannot."""
    known = ~np.isnan(relative[Fault.NONE])
    if not known.any():
        return None
    medians = {fault: _median(values[known]) for fault, values in relative.items()}
    return Fault(str(_decide(medians, tolerance)[0]))


def _median(values: Float64Array) -> Float64Array:
    """(1,) median of those that are numbers; NaN if none is."""
    finite = values[np.isfinite(values)]
    return np.array([np.median(finite) if finite.size else np.nan])
