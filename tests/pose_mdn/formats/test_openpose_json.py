"""OpenPose JSON folders and files."""

import json
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import keypoint_formats, read_keypoints
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.skeletons import BODY25, SKELETONS


def write_frame(path: Path, people: list[np.ndarray], ids: list[int] | None = None) -> None:
    entries = [
        {"person_id": [person_id], "pose_keypoints_2d": joints.ravel().tolist(), "face_keypoints_2d": []}
        for joints, person_id in zip(people, ids or [-1] * len(people), strict=True)
    ]
    path.write_text(json.dumps({"version": 1.3, "people": entries}))


@pytest.fixture
def folder(tmp_path, people):
    """Frames 8 to 11: two people, nobody, one, two."""
    crowd = people(BODY25, seed=1, count=5)
    for frame, count, first in [(8, 2, 0), (9, 0, 2), (10, 1, 2), (11, 2, 3)]:
        write_frame(tmp_path / f"walk_{frame:012d}_keypoints.json", list(crowd[first : first + count]))
    return tmp_path, crowd


def test_rows_are_ordered_by_frame_then_person(folder) -> None:
    path, crowd = folder
    sequence = read_keypoints(path)
    assert sequence.skeleton is BODY25
    assert sequence.frame.tolist() == [8, 8, 9, 10, 11, 11]
    assert sequence.person.tolist() == [0, 1, -1, 0, 0, 1]
    np.testing.assert_allclose(sequence.keypoints_px[[0, 1, 3, 4, 5]], crowd[..., :2], rtol=1e-6)
    np.testing.assert_allclose(sequence.confidence[[0, 1, 3, 4, 5]], crowd[..., 2], rtol=1e-6)


def test_a_frame_of_nobody_keeps_its_place(folder) -> None:
    sequence = read_keypoints(folder[0])
    assert np.isnan(sequence.keypoints_px[2]).all()
    assert (sequence.confidence[2] == 0).all()


def test_zeros_are_missing_and_confidences_are_clipped(tmp_path, people) -> None:
    joints = people(BODY25, seed=0)
    joints[0, 4] = 0
    joints[0, 5] = [0, 0, 0.4]
    joints[0, 6, 2] = 3.5
    write_frame(tmp_path / "0.json", list(joints))
    sequence = read_keypoints(tmp_path)
    assert np.isnan(sequence.keypoints_px[0, 4:6]).all()
    assert sequence.confidence[0, 4:7].tolist() == [0, 0, 1]


def test_a_single_file_is_a_recording_of_one_frame(folder) -> None:
    sequence = read_keypoints(folder[0] / "walk_000000000011_keypoints.json")
    assert sequence.frame.tolist() == [11, 11]
    np.testing.assert_allclose(sequence.keypoints_px, folder[1][3:, :, :2], rtol=1e-6)


def test_frames_are_ordered_by_number_and_not_by_name(tmp_path, people) -> None:
    crowd = people(BODY25, seed=0, count=3)
    for frame, joints in zip((10, 9, 100), crowd, strict=True):
        write_frame(tmp_path / f"take2_{frame}.json", [joints])
    sequence = read_keypoints(tmp_path)
    assert sequence.frame.tolist() == [9, 10, 100]
    np.testing.assert_allclose(sequence.keypoints_px, crowd[[1, 0, 2], :, :2], rtol=1e-6)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [([7, 3], [3, 7]), ([-1, -1], [0, 1]), ([5, 5], [1, 5]), ([1, -1], [1, 2]), ([-1, 0], [0, 1]), ([-1, 4], [0, 4])],
)
def test_identities_are_kept_and_stay_distinct(tmp_path, people, ids, expected) -> None:
    write_frame(tmp_path / "0.json", list(people(BODY25, seed=0, count=2)), ids)
    assert read_keypoints(tmp_path).person.tolist() == expected


@pytest.mark.parametrize(("ids", "tracked"), [([7, 3], True), ([-1, -1], False), ([5, 5], False), ([1, -1], False)])
def test_whether_people_have_identities_is_known(tmp_path, people, ids, tracked) -> None:
    write_frame(tmp_path / "0.json", list(people(BODY25, seed=0, count=2)), ids)
    write_frame(tmp_path / "1.json", [])
    assert read_keypoints(tmp_path).tracked is tracked


def test_a_persons_rows_follow_the_identity(tmp_path, people) -> None:
    crowd = people(BODY25, seed=0, count=2)
    write_frame(tmp_path / "0.json", list(crowd), [7, 3])
    np.testing.assert_allclose(read_keypoints(tmp_path).keypoints_px, crowd[::-1, :, :2], rtol=1e-6)


@pytest.mark.parametrize("name", ["coco17", "halpe26", "blazepose33", "mpii16"])
def test_layout_follows_from_the_number_of_joints(tmp_path, people, name) -> None:
    write_frame(tmp_path / "0.json", list(people(SKELETONS[name], seed=0)))
    assert read_keypoints(tmp_path).skeleton.name == name


@pytest.mark.parametrize("name", ["body25", "body25b"])
@pytest.mark.parametrize(("missing", "count"), [(0.0, 1), (0.3, 2), (0.5, 5)])
def test_the_two_layouts_of_25_joints_are_told_apart(tmp_path, people, name, missing, count) -> None:
    for seed in range(40):
        write_frame(tmp_path / "0.json", list(people(SKELETONS[name], seed, count=count, missing=missing)))
        assert read_keypoints(tmp_path / "0.json").skeleton.name == name, seed


def test_skeleton_argument_settles_the_layout(tmp_path, people) -> None:
    write_frame(tmp_path / "0.json", list(people(BODY25, seed=0)))
    assert read_keypoints(tmp_path, skeleton="body25b").skeleton.name == "body25b"
    with pytest.raises(FormatError, match="expected 17 joints for skeleton 'coco17', got 25"):
        read_keypoints(tmp_path, skeleton="coco17")


def test_a_recording_of_nobody_is_body25(tmp_path) -> None:
    for frame in range(3):
        write_frame(tmp_path / f"{frame}.json", [])
    sequence = read_keypoints(tmp_path)
    assert sequence.skeleton is BODY25
    assert sequence.person.tolist() == [-1, -1, -1]


def test_someone_without_body_joints_keeps_a_row(tmp_path, people) -> None:
    write_frame(tmp_path / "0.json", [np.empty(0), *people(BODY25, seed=0)])
    sequence = read_keypoints(tmp_path)
    assert sequence.person.tolist() == [0, 1]
    assert (sequence.confidence[0] == 0).all()
    assert (sequence.confidence[1] > 0).all()


def test_other_json_files_beside_openposes_are_left_alone(folder) -> None:
    (folder[0] / "calibration.json").write_text("{}")
    assert len(read_keypoints(folder[0])) == 6


PERSON = {"pose_keypoints_2d": [1.0, 2.0, 0.5] * 25}
WRONG = {
    "truncated": ('{"people": [{"pose_key', "expected whole JSON"),
    "nested too deep": ('{"people": ' + "[" * 100_000, "expected whole JSON"),
    "not UTF-8": (b'{"people": "\xff"}', "expected whole JSON"),
    "people is no list": ({"people": 3}, "a list 'people'"),
    "person is no object": ({"people": [3]}, "'pose_keypoints_2d' for each person"),
    "person without joints": ({"people": [{}]}, "'pose_keypoints_2d' for each person"),
    "not three per joint": ({"people": [{"pose_keypoints_2d": [1, 2]}]}, "for each joint, got 2 numbers"),
    "unknown number of joints": (
        {"people": [{"pose_keypoints_2d": [9, 8, 1] * 19}]},
        "known number of joints.* got 19",
    ),
    "a word among numbers": ({"people": [PERSON, {"pose_keypoints_2d": ["x", 2, 1] * 25}]}, "75 numbers per person"),
    "lists among numbers": ({"people": [{"pose_keypoints_2d": [[1, 2, 1]] * 75}]}, "75 numbers per person"),
    "a number too long": (
        '{"people": [{"pose_keypoints_2d": [' + "9" * 400 + ",1,1" * 1 + "]}]}",
        "expected whole JSON.* near byte 35",
    ),
    "two layouts": ({"people": [PERSON, {"pose_keypoints_2d": [1, 2, 1] * 17}]}, "25 joints as other people .* got 17"),
    "normalised": (
        {"people": [{"pose_keypoints_2d": [0.5, 0.25, 1, 0.2, 0.1, 1] * 8 + [0, 0, 0]}]},
        "as if normalised",
    ),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("as_folder", [False, True])
def test_each_mistake_gives_one_line_that_names_the_path(tmp_path, content, message, as_folder) -> None:
    path = tmp_path / "walk_1_keypoints.json"
    path.write_bytes(
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(tmp_path if as_folder else path)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_two_recordings_in_one_folder_are_refused(folder, people) -> None:
    write_frame(folder[0] / "run_8_keypoints.json", list(people(BODY25, seed=0)))
    with pytest.raises(FormatError, match=r"one file per frame, got .* for frame 8"):
        read_keypoints(folder[0])


def test_a_name_without_number_is_refused_in_a_folder(tmp_path) -> None:
    write_frame(tmp_path / "walk_keypoints.json", [])
    with pytest.raises(FormatError, match="frame number"):
        read_keypoints(tmp_path)
    assert read_keypoints(tmp_path / "walk_keypoints.json").frame.tolist() == [0]


def test_an_empty_folder_says_what_it_lacks(tmp_path) -> None:
    assert not keypoint_formats()["openpose_json"].recognise(tmp_path)
    for format_name in (None, "openpose_json"):
        with pytest.raises(FormatError, match="pass the folder that holds the frames"):
            read_keypoints(tmp_path, format=format_name)


def test_recordings_whose_frames_lie_in_one_folder_are_told_apart(tmp_path) -> None:
    for name, count in (("run", 3), ("walk fast", 2)):
        for frame in range(count):
            people = [{"pose_keypoints_2d": [100.0 + frame, 50.0, 0.9] * 25}]
            (tmp_path / f"{name}_{frame:012d}_keypoints.json").write_text(json.dumps({"people": people}))
    entry = keypoint_formats()["openpose_json"]
    assert entry.clips(tmp_path, ReadOptions()) == ("run", "walk fast")
    assert [len(read_keypoints(tmp_path, clip=name)) for name in ("run", "walk fast")] == [3, 2]
    with pytest.raises(FormatError, match=r"one file per frame.*name the recording"):
        read_keypoints(tmp_path)


def test_frames_of_different_numbers_are_one_recording_whatever_their_names(tmp_path) -> None:
    for frame, name in enumerate(("a_0", "b_1", "c_2")):
        people = [{"pose_keypoints_2d": [100.0 + frame, 50.0, 0.9] * 25}]
        (tmp_path / f"{name}.json").write_text(json.dumps({"people": people}))
    assert keypoint_formats()["openpose_json"].clips(tmp_path, ReadOptions()) == ()
    assert read_keypoints(tmp_path).frame.tolist() == [0, 1, 2]
