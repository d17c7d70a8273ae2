"""Why hypotheses and keypoints disagree: what would have to be undone for them to agree.

Letters in shapes: N rows, M hypotheses, J = 17 joints.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pose_mdn.reprojection.agreement import Float64Array, person_size_px, weighted_rms
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


def diagnose(
    points_px: Float64Array, keypoints_px: Float64Array, confidence: Float64Array, mirror_axis_px: Float64Array
) -> Diagnosis:
    """Try explanations and take the one that leaves least.

    Args:
        points_px: (N, M, 17, 2) projected hypotheses.
        keypoints_px: (N, 17, 2) what was seen.
        confidence: (N, 17); 0 means missing.
        mirror_axis_px: (N,) u about which a mirrored picture would have been turned.
    """
    seen = (confidence > 0) & np.isfinite(keypoints_px).all(axis=-1)
    keypoints = np.where(seen[..., None], keypoints_px, np.nan)
    weight = np.where(seen, confidence, 0.0).astype(np.float64)
    size = person_size_px(keypoints_px, seen)
    turned = np.stack([2.0 * mirror_axis_px[:, None] - keypoints[..., 0], keypoints[..., 1]], axis=-1)
    fit = _scale_and_shift(points_px, keypoints, weight)
    rms = {
        Fault.NONE: _best_rms(points_px, keypoints, weight),
        Fault.SIDES: _best_rms(points_px, keypoints[:, _FLIP], weight[:, _FLIP]),
        # A detector that looks at a mirrored picture calls the left arm right; mirrored coordinates keep their names.
        Fault.MIRRORED: np.fmin(
            _best_rms(points_px, turned[:, _FLIP], weight[:, _FLIP]), _best_rms(points_px, turned, weight)
        ),
        Fault.CAMERA: fit.rms,
    }
    relative = {fault: values / size for fault, values in rms.items()}
    return Diagnosis(
        fault=_decide(relative),
        overall=_overall(relative),
        rms_of_size=relative,
        scale=fit.scale,
        shift_of_size=fit.shift_px / size[:, None],
    )


@dataclass(frozen=True, kw_only=True)
class _Fit:
    rms: Float64Array
    scale: Float64Array
    shift_px: Float64Array


def _best_rms(points_px: Float64Array, keypoints_px: Float64Array, weight: Float64Array) -> Float64Array:
    """(N,) smallest weighted RMS distance over hypotheses."""
    square = np.square(points_px - keypoints_px[:, None]).sum(axis=-1)
    return _smallest(weighted_rms(square, weight[:, None]))


def _smallest(values: Float64Array) -> Float64Array:
    """(N,) smallest of (N, M) numbers; NaN only if all are."""
    smallest = np.where(np.isnan(values), np.inf, values).min(axis=1)
    return np.where(np.isfinite(smallest), smallest, np.nan)


def _scale_and_shift(points_px: Float64Array, keypoints_px: Float64Array, weight: Float64Array) -> _Fit:
    """Least-squares scale and shift from projections to keypoints, of the hypothesis that they fit best."""
    usable = np.isfinite(points_px).all(axis=-1) & np.isfinite(keypoints_px).all(axis=-1)[:, None]
    share = np.where(usable, weight[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (share / share.sum(axis=-1, keepdims=True))[..., None]
        source = np.where(usable[..., None], points_px, 0.0)
        target = np.where(usable[..., None], keypoints_px[:, None], 0.0)
        source_middle, target_middle = (share * source).sum(axis=2), (share * target).sum(axis=2)
        source, target = source - source_middle[:, :, None], target - target_middle[:, :, None]
        scale = (share * source * target).sum(axis=(2, 3)) / (share * source * source).sum(axis=(2, 3))
        residual = np.square(target - np.maximum(scale, 0.0)[..., None, None] * source).sum(axis=-1)
        rms = np.sqrt((share[..., 0] * residual).sum(axis=-1))
    best = np.where(np.isnan(rms), np.inf, rms).argmin(axis=1)
    rows = np.arange(len(rms))
    return _Fit(rms=rms[rows, best], scale=scale[rows, best], shift_px=(target_middle - source_middle)[rows, best])


def _decide(relative: dict[Fault, Float64Array]) -> NDArray[np.str_]:
    direct = relative[Fault.NONE]
    candidates = (Fault.SIDES, Fault.MIRRORED, Fault.CAMERA)
    price = np.array([1.0, 1.0, _PRICE_OF_CAMERA])[:, None]
    left = np.stack([relative[fault] for fault in candidates]) * price
    left = np.where(np.isnan(left), np.inf, left)
    explained = left.min(axis=0) <= _BETTER * direct
    named = np.where(
        explained, np.array([str(fault) for fault in candidates])[left.argmin(axis=0)], Fault.UNKNOWN.value
    )
    return np.where(np.isnan(direct), "", np.where(direct <= AGREES_BELOW, Fault.NONE.value, named))


def _overall(relative: dict[Fault, Float64Array]) -> Fault | None:
    """One verdict on all rows: medians show what single rows, whose limbs may cover each other, cannot."""
    known = ~np.isnan(relative[Fault.NONE])
    if not known.any():
        return None
    medians = {fault: np.nanmedian(values[known], keepdims=True) for fault, values in relative.items()}
    return Fault(str(_decide(medians)[0]))
