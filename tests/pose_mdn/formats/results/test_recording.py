"""The time axis: regular, everybody on it, nothing invented."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.formats.results.recording import person_paths, to_recording


@given(data=st.data())
def test_each_pose_stands_at_its_frame_and_all_else_is_a_gap(any_poses, expected_tracks, data) -> None:
    poses = data.draw(any_poses)
    recording = to_recording(poses)
    expected = expected_tracks(poses)
    assert [track.person for track in recording.tracks] == list(expected)
    for track in recording.tracks:
        np.testing.assert_array_equal(track.along_time(track.positions_m), expected[track.person])
        np.testing.assert_array_equal(track.present, np.isfinite(expected[track.person]).all(axis=(1, 2)))
        assert track.std_m.shape == track.positions_m.shape
    assert recording.num_frames == poses.frame.max() - poses.frame.min() + 1
    assert (recording.fps, recording.fps_assumed) == ((30.0, True) if poses.fps is None else (poses.fps, False))


def test_frames_of_nobody_lengthen_the_time_axis(make_poses) -> None:
    positions = np.zeros((5, 17, 3))
    positions[4] = np.nan
    longer = make_poses(positions, frame=np.array([5, 6, 7, 8, 12]), person=np.array([0, 0, 0, 0, -1]))
    recording = to_recording(longer)
    assert (recording.first_frame, recording.num_frames) == (5, 8)
    assert [track.person for track in recording.tracks] == [0]


def test_a_film_of_nobody_is_refused(make_poses) -> None:
    with pytest.raises(InputError, match="at least one pose to write, got 3 rows without any"):
        to_recording(make_poses(np.full((3, 17, 3), np.nan)))
    with pytest.raises(InputError, match="got 0 rows"):
        to_recording(make_poses(np.zeros((0, 17, 3))))


def test_two_poses_of_one_person_in_a_frame_are_refused(make_poses) -> None:
    poses = make_poses(np.zeros((6, 17, 3)), persons=2, first=3, person=np.array([0, 1, 0, 1, 1, 1]))
    with pytest.raises(InputError, match="several of person 1 in frame 5"):
        to_recording(poses)


def test_numbers_of_unrelated_pictures_are_refused(make_poses) -> None:
    poses = make_poses(np.zeros((2, 17, 3)), frame=np.array([139, 581_781]))
    with pytest.raises(InputError, match="2 rows over 581643 frames; number the frames anew"):
        to_recording(poses)


@pytest.mark.parametrize("fps", [0.0, -25.0, float("nan"), float("inf"), 1e9])
def test_an_impossible_rate_is_refused(make_poses, fps) -> None:
    with pytest.raises(InputError, match="fps: expected frames per second"):
        to_recording(make_poses(np.zeros((1, 17, 3)), fps=fps))


@pytest.mark.parametrize(
    ("path", "suffix", "wanted"),
    [
        ("a/walk.trc", ".trc", "a/walk.p1.trc"),
        ("walk.one.TRC", ".trc", "walk.one.p1.TRC"),
        ("walk.rigid.bvh", ".rigid.bvh", "walk.p1.rigid.bvh"),
        ("walk.bvh", ".rigid.bvh", "walk.p1.bvh"),
        ("walk", ".trc", "walk.p1"),
    ],
)
def test_several_people_are_numbered_before_the_ending(make_poses, path, suffix, wanted) -> None:
    two = to_recording(make_poses(np.zeros((2, 17, 3)), persons=2))
    assert person_paths(Path(path), two, suffix)[1] == Path(wanted)
    one = to_recording(make_poses(np.zeros((2, 17, 3))))
    assert person_paths(Path(path), one, suffix) == (Path(path),)
