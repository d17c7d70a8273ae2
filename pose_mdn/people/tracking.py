"""Whole recordings: every row's person, with what came later known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pose_mdn.people.observations import Observations, observe
from pose_mdn.people.tracker import NOBODY, PersonTracker, TrackingSettings
from pose_mdn.people.tracklets import join_tracklets
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence

Sequence = TypeVar("Sequence", KeypointSequence, HypothesisSequence)


def track_people(
    sequence: KeypointSequence | HypothesisSequence,
    *,
    settings: TrackingSettings | None = None,
    look_ahead: bool = True,
    on_progress: Callable[[int], None] | None = None,
) -> NDArray[np.int64]:
    """Who is who in a recording whose `person` numbers mean nothing.

    A first pass follows people frame by frame, as `PersonTracker` does; a second one joins tracks across gaps, looking
    from both sides, and takes people who were hardly ever seen for false detections.

    Args:
        sequence: Rows of several frames, in any order. Hypotheses are told apart by their depths, too.
        settings: How people are followed.
        look_ahead: Without, only the first pass is made: no row's number depends on a later frame.
        on_progress: Called with the number of rows done, frame by frame.

    Returns:
        (N,) numbers 0, 1, 2, ... in order of appearance, those of one frame from left to right; no number twice in a
        frame. -1 for rows that are no further person: a frame of nobody, a second detection of somebody, and with
        `look_ahead` false detections.
    """
    settings = settings or TrackingSettings()
    if not len(sequence):
        return np.empty(0, np.int64)
    seen = observe(sequence)
    tracker = PersonTracker(sequence.fps, settings)
    identity = np.full(len(sequence), NOBODY)
    frames, start = np.unique(sequence.frame[order := np.argsort(sequence.frame, kind="stable")], return_index=True)
    for frame, rows in zip(frames, np.split(order, start[1:]), strict=True):
        identity[rows] = tracker.follow(seen.take(rows), int(frame))
        if on_progress is not None:
            on_progress(len(rows))
    if not look_ahead:
        return identity
    fps = sequence.fps or settings.assumed_fps
    identity = join_tracklets(seen, sequence.frame, identity, fps=fps, longest_s=settings.joining_s)
    identity[_is_fleeting(identity, sequence.frame, settings.fewest_frames)] = NOBODY
    return _renumbered(identity, sequence.frame, seen)


def with_tracked_people(sequence: Sequence, *, settings: TrackingSettings | None = None) -> Sequence:
    """The sequence with persistent `person` numbers: as it is if it has them, otherwise those of `track_people`.

    Rows stay where they are. A recording that never shows two people at once is taken to show one, and is left alone.
    """
    somebody = sequence.frame[(sequence.person != NOBODY) & (sequence.confidence > 0).any(axis=1)]
    if sequence.tracked or len(np.unique(somebody)) == len(somebody):
        return sequence
    return replace(sequence, person=track_people(sequence, settings=settings), tracked=True)


@dataclass(frozen=True, kw_only=True)
class Presence:
    """When one person was seen.

    Attributes:
        person: The number.
        frames: In how many frames.
        first: The first of them.
        last: The last.
        gaps: How many times the person was out of sight in between.
        longest_gap: The most frames of the recording in a row without the person.
    """

    person: int
    frames: int
    first: int
    last: int
    gaps: int
    longest_gap: int


def presences(frame: NDArray[np.int64], person: NDArray[np.int64]) -> list[Presence]:
    """When each person was seen, by number; frames that the recording does not have are no gaps."""
    known, place = np.unique(frame, return_inverse=True)
    found = []
    for number in np.unique(person[person != NOBODY]):
        places = np.unique(place[person == number])
        missed = np.diff(places) - 1
        found.append(
            Presence(
                person=int(number),
                frames=len(places),
                first=int(known[places[0]]),
                last=int(known[places[-1]]),
                gaps=int((missed > 0).sum()),
                longest_gap=int(missed.max(initial=0)),
            )
        )
    return found


def _is_fleeting(identity: NDArray[np.int64], frame: NDArray[np.int64], fewest: int) -> NDArray[np.bool_]:
    """(N,) rows of people seen in fewer frames, unless the recording began or ended meanwhile."""
    known, place = np.unique(frame, return_inverse=True)
    fleeting = np.zeros(len(identity), bool)
    for number in np.unique(identity[identity != NOBODY]):
        rows = identity == number
        first, last = place[rows].min(), place[rows].max()
        is_cut = first < fewest - 1 or last > len(known) - fewest
        fleeting |= rows & (rows.sum() < fewest) & ~is_cut
    return fleeting


def _renumbered(identity: NDArray[np.int64], frame: NDArray[np.int64], seen: Observations) -> NDArray[np.int64]:
    """Without holes in the numbers, in order of appearance and from left to right."""
    total = np.maximum(seen.weight.sum(axis=1), 1e-9)
    place = (seen.weight * seen.points_px[..., 0]).sum(axis=1) / total
    order = np.lexsort([place, frame])
    order = order[identity[order] != NOBODY]
    numbers, first = np.unique(identity[order], return_index=True)
    new = dict(zip(numbers[np.argsort(first)].tolist(), range(len(numbers)), strict=True))
    return np.array([new.get(number, NOBODY) for number in identity.tolist()], np.int64)
