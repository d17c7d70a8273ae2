"""MediaPipe's landmarks in every form that people dump them in: all say the same."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints
from pose_mdn.formats.keypoints.registry import detect_format
from pose_mdn.skeletons import BLAZEPOSE33

SIZE = (1768, 994)
SOURCE = Path(__file__).with_name("keypoints") / "mediapipe_pose.json"
FRAMES = json.loads(SOURCE.read_text())
NAMES = [
    f"{'left' if name[0] == 'l' else 'right'}_{name[2:]}".upper() if name[1:2] == "_" else name.upper()
    for name in BLAZEPOSE33.joint_names
]
"""MediaPipe's own names, such as LEFT_EYE_INNER; its mouth is the other way round."""
NAMES = [f"MOUTH_{name.split('_')[0]}" if "MOUTH" in name else name for name in NAMES]


@pytest.fixture(scope="module")
def expected():
    return read_keypoints(SOURCE, image_size=SIZE)


def assert_same_people(sequence, expected, *, rows=slice(None)) -> None:
    np.testing.assert_array_equal(sequence.frame, expected.frame[rows])
    np.testing.assert_allclose(sequence.keypoints_px, expected.keypoints_px[rows], rtol=1e-5)
    np.testing.assert_allclose(sequence.confidence, expected.confidence[rows], rtol=1e-5)
    assert sequence.skeleton is BLAZEPOSE33


def as_lists(frame):
    return [[mark["x"], mark["y"], mark["z"], mark["visibility"]] for mark in frame]


JSON_FORMS = {
    "frames with numbers": [{"frame": i, "landmarks": frame or None} for i, frame in enumerate(FRAMES)],
    "frames from 10 on": {str(i + 10): frame for i, frame in enumerate(FRAMES)},
    "frames by pictures' names": {f"frame_{i:05d}": frame for i, frame in enumerate(FRAMES)},
    "a document with facts": {
        "width": SIZE[0],
        "height": SIZE[1],
        "fps": 30,
        "frames": [{"frame_index": i, "pose_landmarks": frame} for i, frame in enumerate(FRAMES)],
    },
    "facts apart": {"metadata": {"image_size": list(SIZE), "frameRate": 25}, "data": FRAMES},
    "the web's names": [{"poseLandmarks": frame, "poseWorldLandmarks": frame} for frame in FRAMES],
    "people in each frame": [
        {"timestamp_ms": i, "landmarks": [frame] if frame else []} for i, frame in enumerate(FRAMES)
    ],
    "lists of numbers": [as_lists(frame) for frame in FRAMES],
    "landmarks by name": [dict(zip(NAMES, frame, strict=False)) for frame in FRAMES],
    "landmarks that say their names": [
        [{"name": name, **mark} for name, mark in zip(NAMES, frame, strict=False)] for frame in FRAMES
    ],
}


@pytest.mark.parametrize("form", JSON_FORMS)
def test_json_of_every_form(tmp_path, expected, form) -> None:
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(JSON_FORMS[form]))
    if "numbers" not in form or "frames" in form:
        assert detect_format(path).format.name == "mediapipe_json"
    has_size = "facts" in form
    sequence = read_keypoints(path, format="mediapipe_json", image_size=None if has_size else SIZE)
    shift = 10 if "10" in form else 0
    assert (sequence.frame - shift).tolist() == expected.frame.tolist()
    np.testing.assert_allclose(sequence.keypoints_px, expected.keypoints_px, rtol=1e-5)
    np.testing.assert_allclose(sequence.confidence, expected.confidence, rtol=1e-5)
    assert sequence.person.tolist() == expected.person.tolist()
    assert sequence.fps == {"a document with facts": 30, "facts apart": 25}.get(form)


def test_one_picture_is_one_frame(tmp_path, expected) -> None:
    for document in (FRAMES[1], {"landmarks": FRAMES[1]}, {"pose_landmarks": [FRAMES[1], FRAMES[2]]}):
        (tmp_path / "one.json").write_text(json.dumps(document))
        sequence = read_keypoints(tmp_path / "one.json", image_size=SIZE)
        assert set(sequence.frame.tolist()) == {0}
        np.testing.assert_allclose(sequence.keypoints_px, expected.keypoints_px[1 : 1 + len(sequence)], rtol=1e-5)


def write_csv(path: Path, header, rows, delimiter=",") -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    path.write_text(text.getvalue())


MARKS = [(i, j, NAMES[j], mark) for i, frame in enumerate(FRAMES) for j, mark in enumerate(frame)]
LONG_FORMS = {
    "numbers": (("frame", "landmark", "x", "y", "z", "visibility"), lambda i, j, name, m: (i, j)),
    "names": (("Frame", "landmark_name", "x", "y", "z", "visibility"), lambda i, j, name, m: (i, name)),
    "both": (("frame_id", "landmark_id", "landmark_name", "x", "y", "z", "v"), lambda i, j, name, m: (i, j, name)),
    "pictures": (("image", "id", "x", "y", "z", "vis"), lambda i, j, name, m: (f"img_{i:04d}.jpg", j)),
}


@pytest.mark.parametrize("form", LONG_FORMS)
def test_csv_with_a_row_per_landmark(tmp_path, expected, form) -> None:
    header, labels = LONG_FORMS[form]
    rows = [(*labels(i, j, name, m), m["x"], m["y"], m["z"], m["visibility"]) for i, j, name, m in reversed(MARKS)]
    write_csv(tmp_path / "pose.csv", header, rows, delimiter=";" if form == "both" else ",")
    assert detect_format(tmp_path / "pose.csv").format.name == "mediapipe_csv"
    sequence = read_keypoints(tmp_path / "pose.csv", image_size=SIZE)
    assert_same_people(sequence, expected, rows=slice(1, None))  # the frame of nobody has no rows in such a file


def test_csv_without_frames_begins_one_with_every_landmark_that_comes_again(tmp_path, expected) -> None:
    rows = [(j, m["x"], m["y"], m["z"], m["visibility"]) for _, j, _, m in MARKS]
    write_csv(tmp_path / "pose.csv", ("landmark", "x", "y", "z", "visibility"), rows)
    sequence = read_keypoints(tmp_path / "pose.csv", image_size=SIZE)
    assert sequence.frame.tolist() == list(range(len(FRAMES) - 1))
    np.testing.assert_allclose(sequence.keypoints_px, expected.keypoints_px[1:], rtol=1e-5)


def test_two_people_in_one_csv(tmp_path, expected) -> None:
    rows = [(0, i - 1, j, m["x"], m["y"], m["visibility"]) for i, j, _, m in MARKS if i in {1, 2}]
    header = ("frame", "person_id", "landmark", "x", "y", "visibility")
    write_csv(tmp_path / "named.csv", header, rows)
    write_csv(tmp_path / "unnamed.csv", header[:1] + header[2:], [row[:1] + row[2:] for row in rows])
    for name, tracked in (("named", True), ("unnamed", False)):
        sequence = read_keypoints(tmp_path / f"{name}.csv", image_size=SIZE)
        assert (sequence.frame.tolist(), sequence.person.tolist()) == ([0, 0], [0, 1])
        assert sequence.tracked is tracked
        np.testing.assert_allclose(sequence.keypoints_px, expected.keypoints_px[1:3], rtol=1e-5)


AXES = {"x": "x", "y": "y", "z": "z", "visibility": "visibility"}
WIDE_FORMS = {
    "x0": lambda j, axis: f"{'v' if axis == 'visibility' else axis}{j}",
    "x1, counted from 1": lambda j, axis: f"{'v' if axis == 'visibility' else axis}{j + 1}",
    "landmark_0_x": lambda j, axis: f"landmark_{j}_{axis}",
    "lm_0_vis": lambda j, axis: f"lm_{j}_{axis[:3]}",
    "NOSE_x": lambda j, axis: f"{NAMES[j]}_{axis}",
    "nose.X": lambda j, axis: f"{NAMES[j].lower()}.{axis.upper()}",
    "x_nose": lambda j, axis: f"{axis}_{NAMES[j].lower()}",
}


@pytest.mark.parametrize("form", WIDE_FORMS)
@pytest.mark.parametrize("numbered", [True, False])
def test_csv_with_a_row_per_frame(tmp_path, expected, form, numbered) -> None:
    header = [WIDE_FORMS[form](j, axis) for j in range(33) for axis in AXES]
    rows = [[mark[axis] for mark in frame for axis in AXES] or [""] * len(header) for frame in FRAMES]
    if numbered:
        header, rows = ["frame", *header, "label"], [[i, *row, "walking"] for i, row in enumerate(rows)]
    write_csv(tmp_path / "pose.csv", header, rows)
    assert detect_format(tmp_path / "pose.csv").format.name == "mediapipe_csv"
    sequence = read_keypoints(tmp_path / "pose.csv", image_size=SIZE)
    assert_same_people(sequence, expected)
    assert sequence.person.tolist() == expected.person.tolist()


def test_pixels_in_columns_of_any_layout_need_no_size(tmp_path, people) -> None:
    joints = people(BLAZEPOSE33, 0, 3)
    kept = [j for j, name in enumerate(BLAZEPOSE33.joint_names) if name.split("_")[-1] in {"shoulder", "hip", "knee"}]
    header = [f"{NAMES[j].title().replace('_', '')}_{axis}" for j in kept for axis in "xy"]
    write_csv(tmp_path / "joints.csv", header, joints[:, kept, :2].reshape(3, -1).tolist())
    sequence = read_keypoints(tmp_path / "joints.csv")
    places = [sequence.skeleton.index(BLAZEPOSE33.joint_names[j]) for j in kept]
    np.testing.assert_allclose(sequence.keypoints_px[:, places], joints[:, kept, :2], rtol=1e-6)
    assert (sequence.confidence[:, places] == 1).all()
    assert (sequence.confidence > 0).sum() == 3 * len(kept)


WRONG = {
    "another number of landmarks": ("a.json", json.dumps([FRAMES[1][:20]]), "33 landmarks for each person, got 20"),
    "text for numbers": ("a.json", json.dumps([[{**m, "x": "left"} for m in FRAMES[1]]]), "numbers for x, y"),
    "no landmarks": ("a.json", '{"landmarks": 3, "x": [{"visibility": 1}]}', "landmarks with x and y"),
    "hands too": ("a.csv", "\n".join([",".join(f"x{i},y{i}" for i in range(501)), ",".join(["1"] * 1002)]), "0 to 32"),
    "a row too short": ("a.csv", ",".join(f"x{i},y{i}" for i in range(33)) + "\n1,2,3\n", "rows of 66 numbers"),
    "words": ("a.csv", "frame,landmark,x,y\n0,nose,left,up\n", "rows of 4 numbers"),
    "too few": ("a.csv", "nose_x,nose_y,l_hip_x,l_hip_y\n1,2,3,4\n", "at least 6 joints"),
}


@pytest.mark.parametrize(("name", "content", "message"), WRONG.values(), ids=WRONG)
def test_each_mistake_gives_one_line(tmp_path, name, content, message) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(tmp_path / name, format=f"mediapipe_{name[2:]}", image_size=SIZE)
    assert "\n" not in str(caught.value)
