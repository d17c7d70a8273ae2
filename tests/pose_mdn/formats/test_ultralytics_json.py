"""Ultralytics' files; those in `keypoints/` were written by its own `Results.to_json` (8.4)."""

import json
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints.registry import detect_format
from pose_mdn.skeletons import COCO17

MADE = Path(__file__).parent / "keypoints"


def expected(people: list[dict]) -> np.ndarray:
    return np.array([[each["keypoints"][axis] for axis in ("x", "y", "visible")] for each in people]).transpose(0, 2, 1)


def test_one_frame_with_tracks() -> None:
    path = MADE / "ultralytics_one_frame.json"
    sequence = read_keypoints(path)
    assert detect_format(path).format.name == "ultralytics_json"
    assert sequence.skeleton is COCO17
    assert sequence.person.tolist() == [3, 4]
    assert sequence.tracked
    joints = expected(json.loads(path.read_text()))
    np.testing.assert_allclose(sequence.keypoints_px, joints[..., :2], rtol=1e-6)
    np.testing.assert_allclose(sequence.confidence, joints[..., 2], rtol=1e-6)


@pytest.mark.parametrize("as_text", [False, True])
def test_frames_with_nobody_in_one_of_them(tmp_path, as_text) -> None:
    frames = json.loads((MADE / "ultralytics_frames.json").read_text())
    path = tmp_path / "clip.json"
    path.write_text(json.dumps([json.dumps(frame) for frame in frames] if as_text else frames))
    assert detect_format(path).format.name == "ultralytics_json"
    sequence = read_keypoints(path)
    assert sequence.frame.tolist() == [0, 1, 2, 2]
    assert sequence.person.tolist() == [0, -1, 0, 1]
    assert not sequence.tracked
    np.testing.assert_allclose(sequence.keypoints_px[2:], expected(frames[2])[..., :2], rtol=1e-6)


def test_a_folder_of_frames_is_one_recording(tmp_path) -> None:
    frames = json.loads((MADE / "ultralytics_frames.json").read_text())
    for number, frame in enumerate(frames):
        (tmp_path / f"clip_{number}.json").write_text(json.dumps(frame))
    assert detect_format(tmp_path).format.name == "ultralytics_json"
    np.testing.assert_array_equal(
        read_keypoints(tmp_path).keypoints_px, read_keypoints(MADE / "ultralytics_frames.json").keypoints_px
    )


def test_normalized_coordinates_need_the_pictures_size() -> None:
    path = MADE / "ultralytics_normalized.json"
    with pytest.raises(FormatError, match=r"as if normalised; .*pass the picture's size"):
        read_keypoints(path)
    sequence = read_keypoints(path, image_size=(640, 480))
    joints = expected(json.loads(path.read_text()))
    np.testing.assert_allclose(sequence.keypoints_px, joints[..., :2] * (640, 480), rtol=1e-6)
    assert sequence.image_size == (640, 480)


def test_without_visibility_joints_at_the_origin_are_missing(tmp_path) -> None:
    joints = {"x": [0.0, *range(100, 116)], "y": [0.0, *range(100, 116)]}
    (tmp_path / "a.json").write_text(json.dumps([{"name": "person", "keypoints": joints}]))
    confidence = read_keypoints(tmp_path / "a.json").confidence[0]
    assert confidence.tolist() == [0.0] + [1.0] * 16


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([{"name": "dog", "box": {"x1": 1.0}}], "'keypoints' with 'x' and 'y'"),
        ([{"keypoints": {"x": [1.0] * 17, "y": [1.0] * 16}}], "17 numbers y as there are x, got 16"),
        ([{"keypoints": {"x": [1.0] * 17}}], "a list of numbers"),
        (["[1, ", '{"keypoints": {"x": []}}'], "whole JSON"),
    ],
)
def test_mistakes_name_the_file(tmp_path, document, message) -> None:
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(tmp_path / "a.json", format="ultralytics_json")
    assert str(caught.value).startswith(f"{tmp_path / 'a.json'}: expected ")
