"""C3D: read back by ezc3d, points and labels are what they were, and residuals are standard deviations."""

import struct
import time

import ezc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError, MissingExtraError
from pose_mdn.formats.motions.c3d import read_c3d
from pose_mdn.formats.motions.conversion import ConversionOptions, convert_motion
from pose_mdn.formats.results.c3d import write_c3d
from pose_mdn.skeletons import HUMAN36M17


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(tmp_path_factory, any_poses, expected_tracks, data) -> None:
    poses = data.draw(any_poses)
    tracks = expected_tracks(poses)
    (path,) = write_c3d(tmp_path_factory.mktemp("c3d") / "walk.c3d", poses)
    film = ezc3d.c3d(str(path))
    point = film["parameters"]["POINT"]
    assert point["UNITS"]["value"] == ["mm"]
    assert point["RATE"]["value"][0] == pytest.approx(poses.fps or 30.0)
    assert (point["X_SCREEN"]["value"], point["Y_SCREEN"]["value"]) == (["+X"], ["+Z"])
    prefixes = [f"p{person}:" for person in tracks] if len(tracks) > 1 else [""]
    assert point["LABELS"]["value"] == [prefix + joint for prefix in prefixes for joint in HUMAN36M17.joint_names]
    x, y, z = film["data"]["points"][:3] / 1000
    expected = np.concatenate(list(tracks.values()), axis=1)
    np.testing.assert_allclose(np.stack([x, z, -y]).transpose(2, 1, 0), expected, atol=1e-4)
    missing = film["data"]["meta_points"]["residuals"][0].T < 0
    np.testing.assert_array_equal(missing, np.isnan(expected[..., 0]))


def fourth_words(path) -> np.ndarray:
    """(T, P) what c3d.org says of floating-point files: a whole number, residual in the low byte, cameras above.

    ezc3d 1.7.2 takes the two for each other.
    """
    content = path.read_bytes()
    points, first, last = (struct.unpack_from("<H", content, place)[0] for place in (2, 6, 8))
    (block,) = struct.unpack_from("<H", content, 16)
    frames = last - first + 1
    return np.frombuffer(content, "<f4", 4 * points * frames, 512 * (block - 1)).reshape(frames, points, 4)[..., 3]


@pytest.mark.parametrize(("largest", "step"), [(0.1, 1.0), (1.0, 7.0)])
def test_residuals_are_standard_deviations_in_whole_steps(tmp_path, make_poses, largest, step) -> None:
    std_m = np.random.default_rng(0).uniform(0, largest, (5, 17, 3))
    positions = np.zeros((5, 17, 3))
    positions[2] = np.nan
    (path,) = write_c3d(tmp_path / "walk.c3d", make_poses(positions, std_m=std_m))
    film = ezc3d.c3d(str(path))
    assert -film["parameters"]["POINT"]["SCALE"]["value"][0] == step
    assert struct.unpack_from("<f", path.read_bytes(), 12) == (-step,), "header and parameter agree"
    words = fourth_words(path)
    assert (words[2] == -1).all()
    seen = np.delete(words, 2, axis=0)
    assert (seen == np.round(seen)).all()
    assert 128 < seen.max() < 256
    np.testing.assert_allclose(
        step * seen, 1000 * np.linalg.norm(np.delete(std_m, 2, axis=0), axis=-1), atol=step / 2 + 1e-3
    )


@pytest.mark.parametrize(
    ("first", "in_header"), [(0, 0), (41, 41), (65_530, 65_530), (65_531, 0), (200_000, 0), (-3, 0), (2**40, 0)]
)
def test_the_number_of_the_first_frame_is_kept(tmp_path, make_poses, first, in_header) -> None:
    (path,) = write_c3d(tmp_path / "walk.c3d", make_poses(np.zeros((5, 17, 3)), first=first))
    film = ezc3d.c3d(str(path))
    points, parameters = film["header"]["points"], film["parameters"]
    assert film["data"]["points"].shape == (4, 17, 5)
    assert (points["first_frame"], points["last_frame"]) == (in_header, in_header + 4)
    assert parameters["POSE_MDN"]["FIRST_FRAME"]["value"] == [str(first)]
    if 0 <= first < 2**32 - 10:
        low, high = (int(word) & 0xFFFF for word in parameters["TRIAL"]["ACTUAL_START_FIELD"]["value"])
        assert low + (high << 16) == first + 1


def test_the_file_says_how_it_was_made(tmp_path, make_poses) -> None:
    poses = make_poses(np.zeros((1, 17, 3)), fps=None, model="Läufer/1 " * 20)
    (path,) = write_c3d(tmp_path / "walk.c3d", poses)
    said = ezc3d.c3d(str(path))["parameters"]["POSE_MDN"]
    assert said["CHOICE"]["value"] == ["mean"]
    assert said["RATE_SOURCE"]["value"] == ["assumed"]
    assert said["MODEL"]["value"][0].startswith("L?ufer/1")


def test_it_can_be_imported_as_a_motion(tmp_path, make_poses, rigid_positions) -> None:
    positions = rigid_positions(1, 8, wildness=0.3)
    (path,) = write_c3d(tmp_path / "walk.c3d", make_poses(positions))
    (motion,) = read_c3d(path)
    joint_map = {joint: (joint,) for joint in HUMAN36M17.joint_names}
    found = convert_motion(path, motion, ConversionOptions(joint_map=joint_map))
    assert (found.up, found.metres_per_unit, found.fps) == ("z", 0.001, 30.0)
    np.testing.assert_allclose(found.pose_m, positions * [1, -1, -1], atol=1e-4)


def test_the_same_poses_give_the_same_bytes_a_second_later(tmp_path, make_poses, rigid_positions) -> None:
    poses = make_poses(rigid_positions(0, 5))
    (path,) = write_c3d(tmp_path / "walk.c3d", poses)
    content = path.read_bytes()
    time.sleep(1.1)
    write_c3d(path, poses)
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["walk.c3d"]


def test_more_than_the_format_can_count_is_refused(tmp_path, make_poses) -> None:
    with pytest.raises(InputError, match=r"at most 65535 frames .* got 65536"):
        write_c3d(tmp_path / "long.c3d", make_poses(np.zeros((65_536, 17, 3))))
    with pytest.raises(InputError, match=r"some 300 people, .* got 1 and 500"):
        write_c3d(tmp_path / "crowd.c3d", make_poses(np.zeros((500, 17, 3)), persons=500))
    assert list(tmp_path.iterdir()) == []


def test_three_hundred_people_fit(tmp_path, make_poses) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 17, 3))
    (path,) = write_c3d(tmp_path / "crowd.c3d", make_poses(rows, persons=300))
    assert ezc3d.c3d(str(path))["data"]["points"].shape == (4, 5100, 1)
    assert path.read_bytes()[514] < 255, "blocks of parameters, counted in 8 bits"


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path, make_poses) -> None:
    with pytest.raises(InputError, match="expected a place that can be written to") as caught:
        write_c3d(tmp_path / "no" / "walk.c3d", make_poses(np.zeros((1, 17, 3))))
    assert "\n" not in str(caught.value)


def test_without_the_library_the_extra_is_named(tmp_path, make_poses, monkeypatch) -> None:
    monkeypatch.setattr("pose_mdn.formats.results.c3d.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pose-mdn\[c3d\]'"):
        write_c3d(tmp_path / "walk.c3d", make_poses(np.zeros((1, 17, 3))))
    assert list(tmp_path.iterdir()) == []
