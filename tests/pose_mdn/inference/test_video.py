from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pose_mdn
from pose_mdn import metrics
from pose_mdn.errors import InputError
from pose_mdn.formats import read_keypoints
from pose_mdn.geometry.body import KnownBody
from pose_mdn.inference import Lifter, OnlineVideoLifter, VideoSettings, lift_again, lift_video, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.video import played

CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return load_lifter(threads=1)


@pytest.fixture(scope="module")
def clip() -> KeypointSequence:
    return read_keypoints(CLIP).take(slice(20, 60))


def _top(hypotheses: HypothesisSequence) -> np.ndarray:
    return hypotheses.means_m[np.arange(len(hypotheses)), hypotheses.most_probable]


def _blanked(clip: KeypointSequence, rows: slice) -> KeypointSequence:
    points, confidence = clip.keypoints_px.copy(), clip.confidence.copy()
    points[rows] = np.nan
    confidence[rows] = 0.0
    return replace(clip, keypoints_px=points, confidence=confidence)


def test_a_real_walk_shakes_less_and_is_the_same_walk(lifter: Lifter, clip: KeypointSequence) -> None:
    alone, film = lifter.lift(clip), lift_video(lifter, clip)
    shaking, smooth = (metrics.acceleration_mm_s2(_top(found), 30.0).mean() for found in (alone, film))
    assert smooth < 0.5 * shaking
    assert metrics.mpjpe_mm(_top(film), _top(alone)).mean() < 60


def test_what_was_detected_stays_beside_what_was_lifted(lifter: Lifter, clip: KeypointSequence) -> None:
    alone, film = lifter.lift(clip), lift_video(lifter, clip)
    names = ("keypoints_px", "confidence", "status", "frame", "person", "intrinsics")
    for name in names:
        np.testing.assert_array_equal(getattr(film, name), getattr(alone, name), err_msg=name)
    for name in ("intrinsics_source", "source_skeleton", "model", "fps", "image_size"):
        assert getattr(film, name) == getattr(alone, name)


def test_rows_that_were_not_seen_are_filled_and_say_so(lifter: Lifter, clip: KeypointSequence) -> None:
    film = lift_video(lifter, _blanked(clip, slice(10, 12)))
    assert film.status[10:12].tolist() == ["lifted_from_neighbours"] * 2
    assert film.lifted.all()
    assert np.isnan(film.keypoints_px[10:12]).all()
    whole = lift_video(lifter, clip)
    assert metrics.mpjpe_mm(_top(film), _top(whole))[10:12].max() < 60
    outside = lift_video(lifter, _blanked(clip, slice(0, 8)))
    assert outside.status[:8].tolist() == ["no_person"] * 8
    assert np.isnan(outside.means_m[:8]).all()


def test_a_live_film_with_a_long_lag_is_lifted_as_a_whole(lifter: Lifter, clip: KeypointSequence) -> None:
    whole = lift_video(lifter, clip)
    live = OnlineVideoLifter(lifter, lag=60)
    found = played(clip, live.push, live.flush)
    assert metrics.mpjpe_mm(_top(found), _top(whole)).mean() < 8
    np.testing.assert_array_equal(found.frame, clip.frame)
    np.testing.assert_array_equal(found.keypoints_px, whole.keypoints_px)


def test_each_frame_is_answered_once_with_the_lag(lifter: Lifter, clip: KeypointSequence) -> None:
    live = OnlineVideoLifter(lifter, lag=5)
    answered = []
    for row in range(len(clip)):
        final = live.push(clip.take(slice(row, row + 1)))
        assert final is None or final.frame.tolist() == [clip.frame[row] - 5]
        assert (final is not None) == (row >= 5)
        answered += [] if final is None else final.frame.tolist()
    rest = live.flush()
    assert rest is not None
    assert answered + rest.frame.tolist() == clip.frame.tolist()
    assert live.flush() is None


def test_a_frame_that_comes_late_is_refused_at_once_and_spoils_nothing(lifter: Lifter, clip: KeypointSequence) -> None:
    live = OnlineVideoLifter(lifter, lag=2)
    live.push(clip.take(slice(1, 2)))
    with pytest.raises(InputError, match="or a later one"):
        live.push(clip.take(slice(0, 1)))
    live.push(clip.take(slice(2, 3)))
    rest = live.flush()
    assert rest is not None
    assert rest.frame.tolist() == clip.frame[1:3].tolist()


def test_lifting_again_from_a_file_is_lifting_the_film(lifter: Lifter, clip: KeypointSequence) -> None:
    alone, film = lifter.lift(clip), lift_video(lifter, clip)
    again = lift_again(lifter, alone)
    np.testing.assert_allclose(again.means_m, film.means_m, atol=1e-4)
    np.testing.assert_array_equal(again.status, alone.status)
    assert again.source_skeleton == alone.source_skeleton
    assert lift_again(lifter, alone, lag=3).frame.tolist() == alone.frame.tolist()


def test_what_lifters_refuse_is_refused(lifter: Lifter, clip: KeypointSequence) -> None:
    with pytest.raises(InputError, match="confidence: expected numbers from 0 to 1"):
        lift_video(lifter, replace(clip, confidence=100 * clip.confidence))
    with pytest.raises(InputError, match="min_confidence"):
        VideoSettings(min_confidence=2.0)


@pytest.mark.parametrize("lag", [None, 2])
def test_films_without_rows_or_without_people_come_back_as_they_are(
    lifter: Lifter, clip: KeypointSequence, lag: int | None
) -> None:
    nobody = lifter.lift(_blanked(clip, slice(None)).take(slice(0, 3)))
    assert lift_again(lifter, nobody, lag=lag).status.tolist() == ["no_person"] * 3
    assert len(lift_again(lifter, nobody.take(slice(0, 0)), lag=lag)) == 0


def test_a_known_size_is_kept_to(lifter: Lifter, clip: KeypointSequence) -> None:
    tall, short = (lift_video(lifter, clip, VideoSettings(body=KnownBody(stature_m=stature))) for stature in (1.9, 1.3))
    assert tall.size_source.startswith("given")
    ratio = np.linalg.norm(_top(tall), axis=-1).mean() / np.linalg.norm(_top(short), axis=-1).mean()
    assert ratio == pytest.approx(1.9 / 1.3, rel=0.02)
