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
    }


@pytest.mark.parametrize("name", ["keypoints.npz", "compressed.npz", "openpose.json", "coco.json"])
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["people", "pose_keypoints_2d", "person_id", "image_id", "keypoints", "idx"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
NUMBERS = JSON | st.builds(
    lambda place, value: [value if i == place else 100.0 + i for i in range(51)], st.integers(0, 51), JSON
)


@pytest.mark.parametrize("format_name", ["openpose_json", "coco_json"])
@thorough
@given(data=st.data())
def test_any_json(tmp_path, format_name, data) -> None:
    person = {"openpose_json": "pose_keypoints_2d", "coco_json": "keypoints"}[format_name]
    entry = st.fixed_dictionaries({person: NUMBERS, "person_id": JSON, "image_id": JSON | st.integers(), "idx": JSON})
    people = data.draw(st.lists(entry, max_size=3))
    document = data.draw(JSON | st.just({"people": people} if format_name == "openpose_json" else people))
    path = tmp_path / "1.json"
    path.write_text(json.dumps(document))
    survives(lambda path: read_keypoints(path, format=format_name), path)
