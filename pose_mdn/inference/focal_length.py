"""Lifting by a camera of which nothing is known: its focal length is estimated from the people it filmed.

The answer is lifted with the estimate, and carries how uncertain that is: the people are lifted again at the other
nodes of a quadrature over the posterior, and what moves there widens the standard deviations.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.field_of_view import centred_intrinsics
from pose_mdn.geometry.focal_length import GRID, FocalLength
from pose_mdn.inference.focal_evidence import MAX_ROWS, person_evidence, row_evidence
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.inference.root_uncertainty import PRIOR_SIZE_LOG_STD, root_std_of_size
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence

Float64Array = NDArray[np.float64]

MAX_PEOPLE = 10
"""Those seen most often are looked at."""

EXTRA_LIFTS = 2
"""How often each row is lifted besides once, for the uncertainty."""


class LiftsKeypoints(Protocol):
    """What is asked of a lifter here."""

    def lift(
        self,
        sequence: KeypointSequence,
        *,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        on_progress: Callable[[int], None] | None = None,
    ) -> HypothesisSequence:
        """As `Lifter.lift`."""


def estimate_focal_length(
    lifter: LiftsKeypoints, sequence: KeypointSequence, *, min_confidence: float = DEFAULT_MIN_CONFIDENCE
) -> FocalLength:
    """What the people of a sequence tell about the focal length of the one camera that filmed them all.

    Args:
        lifter: Which answers to judge by.
        sequence: Rows of any people; the optical axis is taken to go through the middle of the picture.
        min_confidence: As in `Lifter.lift`.

    Raises:
        InputError: The camera is known already, or the size of the pictures is not.
    """
    size = _image_size(sequence)
    diagonal_px = float(np.hypot(*size))
    part = sequence.take(_rows_to_look_at(sequence.person))
    answers = [
        lifter.lift(
            replace(part, intrinsics=centred_intrinsics(size, diagonal_px * float(np.exp(log_focal)))),
            min_confidence=min_confidence,
        )
        for log_focal in GRID
    ]
    usable = np.logical_and.reduce([answer.lifted & ~answer.out_of_distribution for answer in answers])
    rows = np.flatnonzero(usable)
    if not rows.size:
        return FocalLength(diagonal_px=diagonal_px, log_evidence=np.zeros(len(GRID)), rows=0)
    looks = [row_evidence(answer.take(rows)) for answer in answers]
    likelihood, depth_m = (np.stack(values) for values in zip(*looks, strict=True))
    persons = part.person[rows]
    evidence = sum(
        person_evidence(likelihood[:, persons == person], depth_m[:, persons == person])
        for person in np.unique(persons)
    )
    return FocalLength(diagonal_px=diagonal_px, log_evidence=np.asarray(evidence), rows=len(rows))


def lift_with_unknown_focal_length(
    lifter: LiftsKeypoints,
    sequence: KeypointSequence,
    *,
    min_confidence: float = DEFAULT_MIN_CONFIDENCE,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[HypothesisSequence, FocalLength]:
    """Lift people with the focal length that they tell, and carry its uncertainty.

    Returns:
        Hypotheses whose `std_m` hold what the focal length leaves open, with `root_std_m`; and what was found.

    Raises:
        InputError: As `estimate_focal_length` and `Lifter.lift` do.
    """
    found = estimate_focal_length(lifter, sequence, min_confidence=min_confidence)
    size = _image_size(sequence)
    focal_px, weights = found.quadrature_px()
    answers = [
        lifter.lift(
            replace(sequence, intrinsics=centred_intrinsics(size, float(focal))),
            min_confidence=min_confidence,
            on_progress=on_progress,
        )
        for focal in focal_px
    ]
    widened = _widened(answers[0], answers[1:], weights)
    return replace(widened, intrinsics_source=f"{found}; principal point at the centre, no distortion"), found


def _widened(
    central: HypothesisSequence, others: list[HypothesisSequence], weights: NDArray[np.float64]
) -> HypothesisSequence:
    """The central answer with the second moments of all, about its own means, in its own lines of sight.

    A row that another focal length makes impossible keeps what the others say of it.
    """
    to_view = np.swapaxes(central.view_rotation.astype(np.float64), -1, -2)
    variance = weights[0] * central.std_m.astype(np.float64) ** 2
    root_variance = np.zeros((*central.mixing_coefficients.shape, 2))
    for weight, other in zip(weights[1:], others, strict=True):
        alike = (central.lifted & other.lifted)[:, None]
        moved = np.einsum("nij,nmkj->nmki", to_view, other.means_m.astype(np.float64) - central.means_m)
        spread = _across_and_along(moved) + other.std_m.astype(np.float64) ** 2
        variance += weight * np.where(alike[..., None, None], spread, central.std_m.astype(np.float64) ** 2)
        shift = np.einsum(
            "nij,nmj->nmi", to_view, other.root_translation_m.astype(np.float64) - central.root_translation_m
        )
        root_variance += weight * np.where(alike[..., None], _across_and_along(shift), 0.0)
    root_std = np.sqrt(root_variance + root_std_of_size(central, PRIOR_SIZE_LOG_STD) ** 2)
    return replace(central, std_m=np.sqrt(variance).astype(np.float32), root_std_m=root_std.astype(np.float32))


def _across_and_along(moved: Float64Array) -> Float64Array:
    """(..., 2) mean square across the line of sight, per direction, and square along it, of (..., 3) in its frame."""
    square = moved**2
    return np.stack([square[..., :2].mean(axis=-1), square[..., 2]], axis=-1)


def _rows_to_look_at(person: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of those seen most often, each person's evenly over the clip: neighbours in a video say the same twice."""
    people, counts = np.unique(person[person >= 0], return_counts=True)
    chosen = [
        np.flatnonzero(person == one)[np.linspace(0, count - 1, min(int(count), MAX_ROWS)).astype(int)]
        for one, count in sorted(zip(people, counts, strict=True), key=lambda pair: -int(pair[1]))[:MAX_PEOPLE]
    ]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def _image_size(sequence: KeypointSequence) -> tuple[int, int]:
    if sequence.intrinsics is not None:
        raise InputError(
            "intrinsics: expected none, to estimate the focal length, got some; leave out one of both",
            field="intrinsics",
        )
    if sequence.distortion is not None and len(sequence.distortion):
        raise InputError(
            "distortion: expected none, to estimate the focal length, got some; coefficients mean nothing without the "
            "matrix that they were calibrated with",
            field="distortion",
        )
    if sequence.image_size is None:
        raise InputError(
            "image_size: expected the size of the pictures, whose middle the optical axis goes through, to estimate "
            "the focal length, got none; give width and height in pixels",
            field="image_size",
        )
    return sequence.image_size
