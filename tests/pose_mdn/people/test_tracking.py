from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.people import (
    NOBODY,
    PersonTracker,
    TrackingSettings,
    presences,
    track_people,
    with_tracked_people,
)
from pose_mdn.people.motion import Tracks, surprise
from pose_mdn.people.observations import observe
from pose_mdn.people.scores import score_tracking
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17

Make = Callable[..., Any]


def rows(sequence: KeypointSequence, which: np.ndarray) -> KeypointSequence:
    names = ("keypoints_px", "confidence", "frame", "person")
    return replace(sequence, **{name: getattr(sequence, name)[which] for name in names})


def joined(*parts: KeypointSequence) -> KeypointSequence:
    names = ("keypoints_px", "confidence", "frame", "person")
    return replace(parts[0], **{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})


def moved(sequence: KeypointSequence, *, frames: int = 0, px: tuple[float, float] = (0.0, 0.0)) -> KeypointSequence:
    shifted = sequence.keypoints_px + np.array(px, np.float32)
    return replace(sequence, frame=sequence.frame + frames, keypoints_px=shifted)


@pytest.mark.parametrize("fps", [10.0, 30.0])
def test_people_who_cross_keep_their_numbers(crossing: Make, fps: float) -> None:
    recording = crossing(people=3, frames=90, fps=fps)
    found = score_tracking(recording.keypoints.frame, recording.truth, track_people(recording.keypoints))
    assert found.switches == 0
    assert found.idf1 > 0.99


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 100), ahead=st.booleans())
def test_the_order_of_rows_means_nothing(crossing: Make, seed: int, ahead: bool) -> None:
    sequence = crossing(people=3, frames=25, seed=seed).keypoints
    order = np.random.default_rng(seed).permutation(len(sequence))
    straight = track_people(sequence, look_ahead=ahead)
    assert track_people(rows(sequence, order), look_ahead=ahead).tolist() == straight[order].tolist()


def test_the_numbers_in_the_file_mean_nothing(crossing: Make) -> None:
    sequence = crossing().keypoints
    renamed = replace(sequence, person=np.random.default_rng(0).permutation(len(sequence)))
    assert (track_people(renamed) == track_people(sequence)).all()


def test_a_stream_gets_the_numbers_of_a_recording_without_look_ahead(crossing: Make) -> None:
    sequence = crossing(people=4, frames=40).keypoints
    tracker, found = PersonTracker(sequence.fps), np.full(len(sequence), NOBODY)
    for frame in np.unique(sequence.frame):
        which = np.flatnonzero(sequence.frame == frame)
        found[which] = tracker.update(rows(sequence, which))
    assert (found == track_people(sequence, look_ahead=False)).all()


def test_no_number_is_given_twice_in_a_frame(crossing: Make) -> None:
    sequence = crossing(people=4).keypoints
    doubled = joined(sequence, moved(sequence, px=(2.0, 1.0)))
    found = track_people(doubled)
    for frame in np.unique(doubled.frame):
        numbers = found[(doubled.frame == frame) & (found != NOBODY)]
        assert len(numbers) == len(np.unique(numbers))


def test_somebody_detected_twice_is_one_person(crossing: Make) -> None:
    sequence = crossing(people=1, missed=0.0).keypoints
    found = track_people(joined(sequence, moved(sequence, px=(3.0, 2.0))))
    assert set(found.tolist()) == {0, NOBODY}
    assert (found == 0).sum() == len(sequence)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_one_person_alone_keeps_one_number_at_any_resolution(crossing: Make, scale: float) -> None:
    sequence = crossing(people=1, frames=90).keypoints
    resized = replace(sequence, keypoints_px=sequence.keypoints_px * np.float32(scale))
    assert set(track_people(resized).tolist()) == {0}


def test_partial_detections_are_the_same_person(crossing: Make) -> None:
    sequence = crossing(people=2, frames=60, missed=0.0)
    confidence = sequence.keypoints.confidence.copy()
    confidence[::3, : 17 // 2] = 0.0  # Every third row lacks the legs.
    found = track_people(replace(sequence.keypoints, confidence=confidence))
    score = score_tracking(sequence.keypoints.frame, sequence.truth, found)
    assert (score.switches, score.misses) == (0, 0)


def test_who_comes_back_is_known_again(crossing: Make) -> None:
    recording = crossing(people=2, frames=60, missed=0.0)
    frame = recording.keypoints.frame
    hidden = (recording.truth == 0) & (frame > 20) & (frame < 38)
    found = track_people(rows(recording.keypoints, np.flatnonzero(~hidden)))
    score = score_tracking(frame[~hidden], recording.truth[~hidden], found)
    assert score.switches == 0


def test_who_comes_back_after_the_memory_is_somebody_new(crossing: Make) -> None:
    sequence = crossing(people=1, frames=30, missed=0.0).keypoints
    later = joined(sequence, moved(sequence, frames=300))
    assert len(presences(later.frame, track_people(later))) == 2


def test_a_cut_ends_everybody(crossing: Make) -> None:
    sequence = crossing(people=1, frames=20, missed=0.0).keypoints
    after = moved(replace(sequence, keypoints_px=sequence.keypoints_px * 1.8), frames=20, px=(-900.0, -300.0))
    found = track_people(joined(sequence, after))
    assert set(found[: len(sequence)].tolist()).isdisjoint(found[len(sequence) :].tolist())


def test_false_people_get_no_number(crossing: Make) -> None:
    sequence = crossing(people=1, frames=40, missed=0.0).keypoints
    false = moved(rows(sequence, np.flatnonzero(sequence.frame == 17)), px=(700.0, 100.0))
    found = track_people(joined(sequence, false))
    assert found[-1] == NOBODY
    assert set(found[:-1].tolist()) == {0}


def test_rows_of_nobody_keep_their_place(crossing: Make) -> None:
    sequence = crossing(people=1, frames=10, missed=0.0).keypoints
    keypoints, confidence = sequence.keypoints_px.copy(), sequence.confidence.copy()
    keypoints[4], confidence[4] = np.nan, 0.0
    found = track_people(replace(sequence, keypoints_px=keypoints, confidence=confidence))
    assert found[4] == NOBODY
    assert (np.delete(found, 4) == 0).all()
    assert track_people(rows(sequence, np.empty(0, np.int64))).tolist() == []


def test_depth_and_bones_tell_people_apart_whose_keypoints_coincide(scene: Make) -> None:
    view = scene(people=1, cameras=1, frames=2, missed=0.0).views[0]
    first = view.take(view.frame == 0)
    tracks = Tracks.begin(observe(first), np.array([0]), 0.0)
    same = surprise(tracks, observe(first), 0.1)[0, 0]
    behind = replace(first, root_translation_m=1.5 * first.root_translation_m)
    longer = replace(first, means_m=1.1 * first.means_m)
    mirrored = replace(first, means_m=first.means_m * np.array([1.0, 1.0, -1.0], np.float32) + 0.5)
    for other in (behind, longer, mirrored):
        assert surprise(tracks, observe(other), 0.1)[0, 0] > same + 1.0


def test_only_what_has_no_identities_is_tracked(crossing: Make) -> None:
    sequence = crossing().keypoints
    tracked = with_tracked_people(sequence)
    assert tracked.tracked
    assert (tracked.person == track_people(sequence)).all()
    assert with_tracked_people(tracked) is tracked
    alone = crossing(people=1).keypoints
    assert with_tracked_people(alone) is alone


def test_presences_count_gaps_in_frames_of_the_recording() -> None:
    frame = np.array([0, 2, 4, 6, 8, 0, 2])
    (one, other) = presences(frame, np.array([5, 5, -1, 5, 5, 6, 6]))
    assert (one.person, one.frames, one.first, one.last, one.gaps, one.longest_gap) == (5, 4, 0, 8, 1, 1)
    assert (other.frames, other.gaps) == (2, 0)


def test_streams_go_forward(crossing: Make) -> None:
    sequence = crossing(frames=3).keypoints
    tracker = PersonTracker()
    with pytest.raises(InputError, match="one frame"):
        tracker.update(sequence)
    tracker.update(rows(sequence, np.flatnonzero(sequence.frame == 1)))
    with pytest.raises(InputError, match="after 1"):
        tracker.update(rows(sequence, np.flatnonzero(sequence.frame == 1)))
    with pytest.raises(InputError, match="memory_s"):
        TrackingSettings(memory_s=-1.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.0, 1.0, 1e4, 1e30]))
def test_nonsense_gets_numbers_too(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    keypoints = (scale * rng.normal(size=(20, 17, 2))).astype(np.float32)
    keypoints[rng.random((20, 17)) < 0.4] = np.nan
    nonsense = KeypointSequence(
        keypoints_px=keypoints,
        confidence=rng.random((20, 17)).astype(np.float32),
        skeleton=COCO17,
        frame=rng.integers(-3, 5, 20),
        person=np.zeros(20, np.int64),
        tracked=False,
    )
    found = track_people(nonsense)
    pairs = [(frame, person) for frame, person in zip(nonsense.frame, found, strict=True) if person != NOBODY]
    assert len(pairs) == len(set(pairs))
