"""Why hypotheses and keypoints disagree: what would have to be undone for them to agree.

Letters in shapes: N rows, M hypotheses, J = 17 joints.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pose_mdn.reprojection.agreement import Float64Array, person_size_px
from pose_mdn.reprojection.moments import point_moments
from pose_mdn.reprojection.turned_views import fit_turned
from pose_mdn.skeletons import HUMAN36M17

AGREES_BELOW = 0.04
"""Of the person's size: a smaller RMS error is what keypoints of usual detectors are wrong by."""
_BETTER = 0.7
"""An explanation must leave no more than this part of the error."""
_BETTER_TOGETHER = 0.75
"""The same for all rows of another camera together, of which a turn explains a part even if each alone agrees."""
_PRICE_OF_CAMERA = 1.3
"""Any disagreement shrinks if scale and place may be chosen; another explanation that is as good is the right one."""
_SCALE_PER_TOLERANCE = 1.0
"""Scales of people where they were lifted differ from 1 by noise, but their median does not. A person who is larger by
a part s is off by about 0.3 s of the size, so this finds errors well below the tolerance."""
_FLIP = list(HUMAN36M17.flip_indices)


class Fault(StrEnum):
    """What is wrong."""

    NONE = "none"
    SIDES = "sides_exchanged"
    MIRRORED = "mirrored"
    CAMERA = "another_camera"
    TURNED = "another_viewpoint"
    UNKNOWN = "unexplained"


EXPLANATIONS = (Fault.NONE, Fault.SIDES, Fault.MIRRORED, Fault.CAMERA, Fault.TURNED)
"""What is tried."""

FAULT_TEXT = {
    Fault.NONE: "agrees with the picture",
    Fault.SIDES: "left and right are exchanged between the hypotheses and these keypoints",
    Fault.MIRRORED: "the picture of these keypoints is mirrored",
    Fault.CAMERA: "this is another camera, or the same with other intrinsics, than that of the hypotheses",
    Fault.TURNED: "these keypoints show the pose from elsewhere: another camera of the rig, or wrong extrinsics",
    Fault.UNKNOWN: (
        "disagrees with these keypoints, and neither sides, mirroring nor any camera explain it: another person, "
        "another frame, or a failed detection"
    ),
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
        turn_rad: (N,) angle between the viewpoint of the keypoints and the camera's; NaN unless that had to be tried.
    """

    fault: NDArray[np.str_]
    overall: Fault | None
    rms_of_size: dict[Fault, Float64Array]
    scale: Float64Array
    shift_of_size: Float64Array
    turn_rad: Float64Array


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """How well each explanation fits, before it is decided which one it is.

    Attributes:
        rms_of_size: (N, F) best hypothesis's RMS error over the person's size, in the order of `EXPLANATIONS`.
        allowed_of_size: (N,) largest such error that needs no explanation.
        scale: (N,) by how much larger the person is in the keypoints than in the projection.
        shift_of_size: (N, 2) how far the person is moved from there, after scaling, in parts of the size.
        turn_rad: (N,) as in `Diagnosis`.
    """

    rms_of_size: Float64Array
    allowed_of_size: Float64Array
    scale: Float64Array
    shift_of_size: Float64Array
    turn_rad: Float64Array


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How hypotheses came before the camera.

    Attributes:
        rotation: (3, 3) from the frame of the hypotheses to that of the camera.
        elsewhere: The camera stands elsewhere than the one that they were lifted with.
        solved: They are where they fit these keypoints best as they are, rather than where they were lifted; their
            place then says nothing about exchanged or mirrored ones.
    """

    rotation: Float64Array
    elsewhere: bool
    solved: bool


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of N people.

    Attributes:
        keypoints_px: (N, 17, 2) anything where missing.
        confidence: (N, 17); 0 means missing.
        mirror_axis_px: (N,) u about which a mirrored picture would have been turned.
    """

    keypoints_px: Float64Array
    confidence: Float64Array
    mirror_axis_px: Float64Array


def explain(
    points_px: Float64Array,
    pose_m: NDArray[np.floating],
    seen: Seen,
    allowed_of_size: Float64Array,
    placement: Placement,
) -> Explanations:
    """Try every explanation.

    Args:
        points_px: (N, M, 17, 2) projected hypotheses.
        pose_m: (N, M, 17, 3) the same in their own frame, wherever its origin.
        seen: Beside which they are.
        allowed_of_size: (N, M) largest RMS error that needs no explanation, as part of the person's size.
        placement: How hypotheses came there.
    """
    known = (seen.confidence > 0) & np.isfinite(seen.keypoints_px).all(axis=-1)
    size = person_size_px(seen.keypoints_px, known)
    # Squares are expanded below, which loses fewest digits about the person's own place.
    middle = _middle(seen.keypoints_px, known)
    weight = np.where(known, seen.confidence, 0.0).astype(np.float64)
    keypoints = np.where(known[..., None], seen.keypoints_px - middle[:, None], 0.0)
    axis = (seen.mirror_axis_px - middle[:, 0])[:, None]
    turned = np.stack([2.0 * axis - keypoints[..., 0], keypoints[..., 1]], axis=-1)
    moments = point_moments(points_px - middle[:, None, None])
    direct = moments.rms_to(keypoints, weight)

    def least(targets: Float64Array, weight: Float64Array) -> Float64Array:
        return _smallest(
            moments.scale_and_shift(targets, weight).rms if placement.solved else moments.rms_to(targets, weight)
        )

    # A detector that looks at a mirrored picture calls the left arm right; mirrored coordinates keep their names. The
    # latter is also how somebody looks from behind, which is what is meant where there are several cameras.
    mirrored = least(turned[:, _FLIP], weight[:, _FLIP])
    if not placement.elsewhere:
        mirrored = np.fmin(mirrored, least(turned, weight))
    rms = [_smallest(direct), least(keypoints[:, _FLIP], weight[:, _FLIP]), mirrored]
    fit = moments.scale_and_shift(keypoints, weight)
    rows, best = np.arange(len(size)), _place_of_smallest(fit.rms)
    allowed = allowed_of_size[rows, _place_of_smallest(direct)]
    from_elsewhere, turn = _turned(
        pose_m, placement.rotation, keypoints, weight, wanted=(rms[0] > allowed * size) | placement.elsewhere
    )
    return Explanations(
        rms_of_size=np.stack([*rms, fit.rms[rows, best], from_elsewhere], axis=-1) / size[:, None],
        allowed_of_size=allowed,
        scale=fit.scale[rows, best],
        shift_of_size=fit.shift_px[rows, best] / size[:, None],
        turn_rad=turn,
    )


def conclude(explanations: Explanations, placement: Placement) -> Diagnosis:
    """Take the explanation that leaves least, for each row and for all of them together.

    Args:
        explanations: How well each fits.
        placement: How hypotheses came there.
    """
    relative = dict(zip(EXPLANATIONS, explanations.rms_of_size.T, strict=True))
    return Diagnosis(
        fault=_decide(relative, explanations.allowed_of_size, placement),
        overall=_overall(relative, explanations, placement),
        rms_of_size=relative,
        scale=explanations.scale,
        shift_of_size=explanations.shift_of_size,
        turn_rad=explanations.turn_rad,
    )


def _turned(
    pose_m: NDArray[np.floating],
    rotation: Float64Array,
    keypoints_px: Float64Array,
    weight: Float64Array,
    wanted: NDArray[np.bool_],
) -> tuple[Float64Array, Float64Array]:
    """(N,) RMS errors and angles of the turned hypotheses that fit best; NaN in rows where that is not wanted."""
    rms, angle = np.full(len(pose_m), np.nan), np.full(len(pose_m), np.nan)
    rows = np.flatnonzero(wanted)
    poses = pose_m[rows].astype(np.float64) @ rotation.T
    count = poses.shape[1]
    fit = fit_turned(
        poses.reshape(-1, *poses.shape[2:]), np.repeat(keypoints_px[rows], count, 0), np.repeat(weight[rows], count, 0)
    )
    left = fit.rms_px.reshape(-1, count)
    best = _place_of_smallest(left)
    rms[rows] = left[np.arange(len(rows)), best]
    angle[rows] = fit.angle_rad.reshape(-1, count)[np.arange(len(rows)), best]
    return rms, angle


def _middle(keypoints_px: Float64Array, seen: NDArray[np.bool_]) -> Float64Array:
    """(N, 2) mean of the joints that are seen; NaN if none is."""
    with np.errstate(invalid="ignore"):
        total = np.where(seen[..., None], keypoints_px, 0.0).sum(axis=1)
        return np.asarray(total / seen.sum(axis=1)[:, None])


def _smallest(values: Float64Array) -> Float64Array:
    """(N,) smallest of (N, M) numbers; NaN only if all are."""
    return values[np.arange(len(values)), _place_of_smallest(values)]


def _place_of_smallest(values: Float64Array) -> NDArray[np.int64]:
    """(N,) where it is."""
    return np.asarray(np.where(np.isnan(values), np.inf, values).argmin(axis=1))


def _decide(relative: dict[Fault, Float64Array], allowed: Float64Array, placement: Placement) -> NDArray[np.str_]:
    direct = relative[Fault.NONE]
    candidates = EXPLANATIONS[1:4]
    left = np.stack([relative[fault] for fault in candidates])
    left = np.where(np.isnan(left), np.inf, left) * np.array([1.0, 1.0, _PRICE_OF_CAMERA])[:, None]
    names, found = np.array([str(fault) for fault in candidates]), left.argmin(axis=0)
    is_camera = names[found] == Fault.CAMERA.value
    # Where sides and mirroring may choose scale and place as well, they have to do better than these alone.
    against = np.where(is_camera | (not placement.solved), direct, relative[Fault.CAMERA])
    with np.errstate(invalid="ignore"):
        explained = left.min(axis=0) <= _BETTER * against
        # A free rotation makes almost anything look a little more alike: it has to explain all. Somebody seen from the
        # side looks like the mirrored one from the other, so it goes before what leaves something.
        turned = (relative[Fault.TURNED] <= allowed) & (relative[Fault.TURNED] <= _BETTER * direct)
        turned &= ~explained | (~is_camera & (left.min(axis=0) > allowed))
        agrees = direct <= allowed
    named = np.where(turned, Fault.TURNED.value, np.where(explained, names[found], Fault.UNKNOWN.value))
    return np.where(np.isnan(direct), "", np.where(agrees, Fault.NONE.value, named))


def _overall(relative: dict[Fault, Float64Array], explanations: Explanations, placement: Placement) -> Fault | None:
    """One verdict on all rows: medians show what single rows, whose limbs may cover each other, cannot."""
    known = ~np.isnan(relative[Fault.NONE])
    if not known.any():
        return None
    medians = {fault: _median(values[known]) for fault, values in relative.items()}
    tolerance = _median(explanations.allowed_of_size[known])
    overall = Fault(str(_decide(medians, tolerance, placement)[0]))
    if overall in {Fault.SIDES, Fault.MIRRORED, Fault.CAMERA}:
        return overall
    scale = _median(explanations.scale[known])
    as_lifted = not (placement.elsewhere or placement.solved)
    if as_lifted and abs(scale - 1.0) > _SCALE_PER_TOLERANCE * tolerance and medians[Fault.CAMERA] <= tolerance:
        return Fault.CAMERA
    if placement.elsewhere and overall is Fault.NONE and medians[Fault.TURNED] < _BETTER_TOGETHER * medians[Fault.NONE]:
        return Fault.TURNED
    return overall


def _median(values: Float64Array) -> Float64Array:
    """(1,) median of those that are numbers; NaN if none is."""
    finite = values[np.isfinite(values)]
    return np.array([np.median(finite) if finite.size else np.nan])
