"""One pose for each row: the mixture's mean, its most probable component, or the one that the frames around tell.

Covariances are diagonal in each row's line-of-sight frame. With V the rotation from it to the camera and s the three
standard deviations there, the variance along the camera's axis i is Σ_k V_ik² s_k².

Letters in shapes: N rows, M hypotheses.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.people import with_tracked_people
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.single import POSE_CHOICES, PoseChoice, SinglePoses
from pose_mdn.video import SmoothingSettings, link_sequence

Float64Array = NDArray[np.float64]

_AXES = [0, 0, 1]
"""Standard deviations of x, y, z in the line-of-sight frame: across, across, along."""
_ROWS_AT_ONCE = 4096
"""Bounds the memory for numbers in double precision."""


def choose_poses(
    hypotheses: HypothesisSequence, choice: PoseChoice = "mean", *, settings: SmoothingSettings | None = None
) -> SinglePoses:
    """Choose one pose for each row.

    Positions are absolute, in the camera frame: root translation plus root-relative positions, for "mean" the mixture's
    mean of these. Standard deviations are along the camera's axes and relative to the pelvis.

    Args:
        hypotheses: N rows; those without a finite pose come out as NaN.
        choice: "mean" is nearest on average but may lie between two poses and be neither. "top" is the component with
            the largest mixing coefficient, chosen anew in every row. "linked" takes the components on the most
            probable path over time, person by person; where identities are unknown people are followed first. Rows
            outside of any order in time (of nobody, or of someone who is twice in a frame) have their top component.
        settings: How components are linked over time.

    Raises:
        InputError: There is no such choice.
    """
    if choice not in POSE_CHOICES:
        raise InputError(f"choice: expected one of {', '.join(POSE_CHOICES)}, got {choice!r}", field="choice")
    component = _linked(hypotheses, settings) if choice == "linked" else hypotheses.most_probable
    positions = np.full((len(hypotheses), 17, 3), np.nan, np.float32)
    std = positions.copy()
    weight = np.full(len(hypotheses), np.nan, np.float32)
    for start in range(0, len(hypotheses), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        part = hypotheses.take(rows)
        with np.errstate(invalid="ignore"):
            found = _means(part) if choice == "mean" else _components(part, component[rows])
        finite = np.isfinite(found[0]).all(axis=(1, 2)) & np.isfinite(found[1]).all(axis=(1, 2))
        for column, values in zip((positions, std, weight), found, strict=True):
            column[rows][finite] = values[finite]
    return SinglePoses(
        positions_m=positions,
        std_m=std,
        frame=hypotheses.frame,
        person=hypotheses.person,
        status=hypotheses.status,
        fps=hypotheses.fps,
        tracked=hypotheses.tracked,
        choice=choice,
        model=hypotheses.model,
        weight=weight,
    )


def _means(part: HypothesisSequence) -> tuple[Float64Array, Float64Array, Float64Array]:
    """(N, 17, 3) means, (N, 17, 3) standard deviations of whole mixtures, (N,) ones."""
    mixing = part.mixing_coefficients.astype(np.float64)
    mixing /= mixing.sum(axis=1, keepdims=True)
    means = part.means_m.astype(np.float64)
    mean = np.einsum("nm,nmjk->njk", mixing, means)
    root = np.einsum("nm,nmk->nk", mixing, part.root_translation_m.astype(np.float64))
    spread = _variance(part.view_rotation, part.std_m) + np.square(means - mean[:, None])
    return mean + root[:, None], np.sqrt(np.einsum("nm,nmjk->njk", mixing, spread)), np.ones(len(part))


def _components(
    part: HypothesisSequence, component: NDArray[np.int64]
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """(N, 17, 3) positions, (N, 17, 3) standard deviations and (N,) weights of one component of each row."""
    rows = np.arange(len(part))
    positions = part.means_m[rows, component].astype(np.float64) + part.root_translation_m[rows, component][:, None]
    variance = _variance(part.view_rotation, part.std_m[rows, component][:, None])[:, 0]
    return positions, np.sqrt(variance), part.mixing_coefficients[rows, component].astype(np.float64)


def _variance(view_rotation: NDArray[np.floating], std_m: NDArray[np.floating]) -> Float64Array:
    """(N, M, 17, 3) variances along the camera's axes, of (N, M, 17, 2) across and along the line of sight."""
    squares = np.square(std_m.astype(np.float64))[..., _AXES]
    return np.asarray(np.einsum("nik,nmjk->nmji", np.square(view_rotation.astype(np.float64)), squares))


def _linked(hypotheses: HypothesisSequence, settings: SmoothingSettings | None) -> NDArray[np.int64]:
    """(N,) components on the most probable paths; the most probable component where there is no path."""
    component = hypotheses.most_probable
    followed = with_tracked_people(hypotheses)
    # A row that is not whole would spoil the path of its neighbours.
    rows = np.flatnonzero(hypotheses.lifted & _whole(hypotheses) & ~_twice_in_a_frame(followed))
    path = link_sequence(followed.take(rows), settings).path
    component[rows[path >= 0]] = path[path >= 0]
    return component


def _whole(hypotheses: HypothesisSequence) -> NDArray[np.bool_]:
    """(N,) rows all of whose hypotheses are finite and before the camera."""
    whole = hypotheses.root_translation_m[..., 2].min(axis=1) > 0
    for name in ("means_m", "std_m", "mixing_coefficients", "root_translation_m", "view_rotation"):
        values = getattr(hypotheses, name)
        whole &= np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    return np.asarray(whole)


def _twice_in_a_frame(hypotheses: HypothesisSequence) -> NDArray[np.bool_]:
    """(N,) rows of people who have more than one row in some frame."""
    pairs, count = np.unique(np.stack([hypotheses.person, hypotheses.frame]), axis=1, return_counts=True)
    return np.isin(hypotheses.person, pairs[0, count > 1])
