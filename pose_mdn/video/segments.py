"""Rows that belong together in time: one person, without long gaps and without cuts.

A cut shows in the picture: joints jump together, further than people move between neighbouring frames, whatever the
identities say. The median over joints of the jump, as part of the person's size, does not see single outliers, nor
legs or arms that a detector exchanges.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.video.settings import SmoothingSettings

Float64Array = NDArray[np.float64]

DEFAULT_FPS = 30.0
_USUAL_STEP_S = 1.0 / 30.0
_MIN_JOINTS = 4
"""Fewer in common tell nothing about a cut."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Some rows of one person.

    Attributes:
        rows: (T,) indices, in order of time.
        time_s: (T,) ascending.
    """

    rows: NDArray[np.int64]
    time_s: Float64Array


def moments_s(frame: NDArray[np.int64], fps: float | None, settings: SmoothingSettings) -> Float64Array:
    """(N,) times of (N,) frames, by the frame rate that was set, or that the file states, or the default."""
    return np.asarray(frame / (settings.fps or fps or DEFAULT_FPS), np.float64)


def segments_of(
    keypoints_px: NDArray[np.floating],
    seen: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    *,
    frame: NDArray[np.int64],
    person: NDArray[np.int64],
    time_s: Float64Array,
    settings: SmoothingSettings,
) -> Iterator[Segment]:
    """Split usable rows into segments.

    Args:
        keypoints_px: (N, 17, 2), anything where not seen.
        seen: (N, 17).
        usable: (N,) which rows to look at.
        frame: (N,) frame numbers.
        person: (N,) identities.
        time_s: (N,) moments, ascending with the frame numbers of a person.
        settings: Where segments end.

    Raises:
        InputError: A person is in one frame twice.
    """
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort((frame[rows], person[rows]))]
    if not len(order):
        return
    same_person = np.diff(person[order]) == 0
    twice = np.flatnonzero(same_person & (np.diff(frame[order]) == 0))
    if len(twice):
        first = order[twice[0]]
        raise InputError(
            f"person: expected each person once in a frame, got person {person[first]} twice in frame {frame[first]}; "
            "give everybody an identity of their own",
            field="person",
        )
    step_s = np.diff(time_s[order])
    jump = jumps(keypoints_px[order[:-1]], seen[order[:-1]], keypoints_px[order[1:]], seen[order[1:]])
    breaks = np.flatnonzero(~same_person | begins_anew(jump, step_s, settings)) + 1
    for rows in np.split(order, breaks):
        yield Segment(rows=rows, time_s=time_s[rows])


def begins_anew(jump: Float64Array, step_s: Float64Array, settings: SmoothingSettings) -> NDArray[np.bool_]:
    """(...) whether a new segment begins after a step of time with a jump; a jump of NaN tells nothing."""
    # Displacements of people who turn back and forth grow more slowly than time.
    usual = np.sqrt(np.maximum(step_s / _USUAL_STEP_S, 1.0))
    return np.asarray((step_s > settings.max_gap_s) | (jump > settings.cut * usual))


def jumps(
    earlier_px: NDArray[np.floating],
    seen_earlier: NDArray[np.bool_],
    later_px: NDArray[np.floating],
    seen_later: NDArray[np.bool_],
) -> Float64Array:
    """(...) median displacement of (..., 17, 2) joints seen at both rows, in parts of the larger of the two sizes.

    Returns:
        NaN where fewer than four joints are common.
    """
    common = seen_earlier & seen_later
    distance = np.linalg.norm(later_px.astype(np.float64) - earlier_px, axis=-1)
    # The lower middle one of those in common.
    place = (np.maximum(common.sum(axis=-1, keepdims=True), 1) - 1) // 2
    ordered = np.sort(np.where(common, distance, np.inf), axis=-1)
    median = np.take_along_axis(ordered, place, axis=-1)[..., 0]
    size = np.fmax(person_size_px(earlier_px, seen_earlier), person_size_px(later_px, seen_later))
    with np.errstate(invalid="ignore"):
        return np.where(common.sum(axis=-1) >= _MIN_JOINTS, median / size, np.nan)


def person_size_px(keypoints_px: NDArray[np.floating], seen: NDArray[np.bool_]) -> Float64Array:
    """(...) diagonal of the box around the (..., 17, 2) joints seen, at least a pixel; NaN if none is."""
    mask = seen[..., None]
    low = np.where(mask, keypoints_px, np.inf).min(axis=-2)
    high = np.where(mask, keypoints_px, -np.inf).max(axis=-2)
    extent = np.linalg.norm(np.where(seen.any(axis=-1, keepdims=True), high - low, np.nan), axis=-1)
    return np.asarray(np.maximum(extent, 1.0))
