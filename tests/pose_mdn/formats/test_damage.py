"""Damaged files give a valid sequence or a `FormatError`, and never anything else."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_hypotheses, read_keypoints, write_hypotheses, write_keypoints
from pose_mdn.formats.hypotheses.files import holds_hypotheses

DAMAGE = st.tuples(
    st.floats(0, 1) | st.none(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
)
"""Where to cut, if at all, and which bytes to replace, as fractions of the length."""

# No deadline, because what a disk takes says nothing about the code.
thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def damaged(content: bytes, damage) -> bytes:
    cut, changes = damage
    result = bytearray(content)
    for place, value in changes:
        result[int(place * len(result))] = value
    return bytes(result if cut is None else result[: int(cut * len(result))])


def survives(read, path: Path) -> None:
    message = f"{path}"
    try:
        read(path)
    except FormatError as error:
        message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message


@pytest.fixture(scope="module")
def contents(tmp_path_factory, make_keypoints, make_hypotheses, people) -> dict[str, bytes]:
    """The bytes of one correct file of each kind."""
    folder = tmp_path_factory.mktemp("correct")
    write_keypoints(folder / "keypoints.npz", make_keypoints(rows=2))
    write_hypotheses(folder / "hypotheses.npz", make_hypotheses(rows=2))
    write_hypotheses(folder / "hypotheses.parquet", make_hypotheses(rows=2))
    write_hypotheses(folder / "hypotheses.jsonl", make_hypotheses(rows=2))
    sequence = make_keypoints(rows=2)
    compressed = io.BytesIO()
    np.savez_compressed(compressed, keypoints=sequence.keypoints_px, skeleton="coco17", frame=[1, 2])
    joints = people(sequence.skeleton, seed=0)[0].round(1).ravel().tolist()
    return {
        **{file.name: file.read_bytes() for file in folder.iterdir()},
        "compressed.npz": compressed.getvalue(),
        "openpose.json": json.dumps({"people": [{"person_id": [3], "pose_keypoints_2d": joints}]}).encode(),
        "coco.json": json.dumps([{"image_id": "1.jpg", "keypoints": joints, "idx": [1]}]).encode(),
        **{path.name: path.read_bytes() for path in (Path(__file__).parent / "keypoints").iterdir()},
    }


@pytest.mark.parametrize(
    "name",
    [
        *("keypoints.npz", "compressed.npz", "openpose.json", "coco.json", "mmpose_inferencer_video.json"),
        *("mmpose_inferencer_image_000007.json", "ultralytics_frames.json", "ultralytics_one_frame.json"),
    ],
)
@thorough
@given(damage=DAMAGE)
def test_damaged_keypoints(tmp_path, contents, name, damage) -> None:
    path = tmp_path / name
    path.write_bytes(damaged(contents[name], damage))
    survives(read_keypoints, path)


@pytest.mark.parametrize("name", ["hypotheses.npz", "hypotheses.parquet", "hypotheses.jsonl"])
@thorough
@given(damage=DAMAGE)
def test_damaged_hypotheses(tmp_path, contents, name, damage) -> None:
    path = tmp_path / name
    path.write_bytes(damaged(contents[name], damage))
    survives(read_hypotheses, path)
    assert holds_hypotheses(path) in {True, False}


@pytest.mark.parametrize("key", ["keypoints", "skeleton", "frame"])
@thorough
@given(damage=DAMAGE)
def test_damaged_arrays_in_whole_archives(tmp_path, contents, key, damage) -> None:
    # The archive's checksums notice most damage; here it comes from whoever wrote the archive.
    with zipfile.ZipFile(io.BytesIO(contents["keypoints.npz"])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    # Half of the places fall into the array's header of 128 bytes.
    member = members[f"{key}.npy"]
    members[f"{key}.npy"] = (
        damaged(member[:128], damage) + member[128:] if damage[0] is None else damaged(member, damage)
    )
    path = tmp_path / "keypoints.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    survives(read_keypoints, path)


KEYS = (
    *("people", "bodies", "pose_keypoints_2d", "joints", "person_id", "image_id", "keypoints", "idx", "track_id", "id"),
    *("images", "annotations", "categories", "width", "height", "meta_info", "keypoint_id2name", "instance_info"),
    *("frame_id", "instances", "keypoint_scores", "predictions", "x", "y", "visible", "0", "1.jpg"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(2**70),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
NUMBERS = JSON | st.builds(
    lambda place, value: [value if i == place else 100.0 + i for i in range(51)], st.integers(0, 51), JSON
)
PAIRS = JSON | st.builds(
    lambda place, value: [value if i == place else [100.0, i] for i in range(17)], st.integers(0, 17), JSON
)
SCORES = JSON | st.builds(
    lambda place, value: [value if i == place else 0.5 for i in range(17)], st.integers(0, 17), JSON
)
IDENTITY = JSON | st.integers(-1, 2)
JOINTS = {
    "openpose_json": {"pose_keypoints_2d": NUMBERS, "person_id": IDENTITY},
    "coco_json": {"keypoints": NUMBERS, "image_id": JSON | st.integers(0, 2), "idx": IDENTITY},
    "coco_gt_json": {"keypoints": NUMBERS, "image_id": JSON | st.integers(0, 2), "track_id": IDENTITY},
    "alphapose_json": {"keypoints": NUMBERS, "image_id": JSON | st.sampled_from(["1.jpg", "a"]), "idx": IDENTITY},
    "mmpose_json": {"keypoints": PAIRS, "keypoint_scores": SCORES, "track_id": IDENTITY},
    "ultralytics_json": {
        "keypoints": JSON | st.fixed_dictionaries({"x": SCORES, "y": SCORES}, optional={"visible": SCORES}),
        "track_id": IDENTITY,
    },
}
LIST = ("coco_json", "alphapose_json", "mmpose_json", "ultralytics_json")


def document_of(format_name: str, people: list[object], other: object, *, nested: bool) -> object:
    """People where the format has them, and anything in the other places."""
    objects = {
        "openpose_json": {"people": people},
        "coco_gt_json": {"images": other, "annotations": people, "categories": other},
        "alphapose_json": {"1.jpg": people, "2.jpg": other},
        "mmpose_json": {"meta_info": other, "instance_info": [{"frame_id": 1, "instances": people}, other]},
        "ultralytics_json": [people, other],
    }
    return people if format_name in LIST and not (nested and format_name in objects) else objects[format_name]


@pytest.mark.parametrize("format_name", JOINTS)
@thorough
@given(data=st.data())
def test_any_json(tmp_path, format_name, data) -> None:
    people = data.draw(st.lists(st.fixed_dictionaries(JOINTS[format_name]) | JSON, max_size=3))
    other = data.draw(JSON | st.just([]) | st.just([{"id": 1, "width": 5, "height": 4}]))
    document = data.draw(JSON | st.just(document_of(format_name, people, other, nested=data.draw(st.booleans()))))
    path = tmp_path / "1.json"
    path.write_text(json.dumps(document))
    survives(lambda path: read_keypoints(path, format=format_name), path)
    survives(read_keypoints, path)


@pytest.mark.parametrize("format_name", JOINTS)
@pytest.mark.parametrize(
    "content", [b"", b"[", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe[", b"\0" * 9, b"[[]]", b"[{}]"]
)
def test_strange_beginnings(tmp_path, format_name, content) -> None:
    path = tmp_path / "1.json"
    path.write_bytes(content)
    survives(lambda path: read_keypoints(path, format=format_name), path)
    survives(read_keypoints, path)
