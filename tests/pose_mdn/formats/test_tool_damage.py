"""Damaged and hostile files of other tools give a sequence or a `FormatError`, and never anything else."""

import io
import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError
from pose_mdn.formats import read_keypoints, write_keypoints
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.tables.parquet_stream import open_stream
from pose_mdn.formats.plain_pickle import read_plain_pickle

FILES = Path(__file__).with_name("keypoints")
DAMAGE = st.tuples(
    st.floats(0, 1) | st.none(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=3)), max_size=4),
)
"""Where to cut, if at all, and which bytes to put where, as fractions of the length."""

thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
slow = settings(thorough, max_examples=12)


def damaged(content: bytes, damage) -> bytes:
    cut, changes = damage
    result = bytearray(content)
    for place, values in changes:
        start = int(place * len(result))
        result[start : start + len(values)] = values
    return bytes(result if cut is None else result[: int(cut * len(result))])


def survives(path: Path, **options: object) -> None:
    message = f"{path}"
    try:
        read_keypoints(path, **options)
    except FormatError as error:
        message = str(error)
    assert message.startswith(str(path))
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("mediapipe_pose.json", "mediapipe_json"),
        ("deeplabcut_several.csv", "deeplabcut_csv"),
        ("deeplabcut_single.csv", "mediapipe_csv"),
        ("sports2d_px.trc", "trc"),
    ],
)
@thorough
@given(damage=DAMAGE)
def test_damaged_text(tmp_path, name, format_name, damage) -> None:
    path = tmp_path / name
    path.write_bytes(damaged((FILES / name).read_bytes(), damage))
    survives(path, format=format_name, image_size=(1768, 994))
    survives(path)


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("deeplabcut_single_fixed.h5", "deeplabcut_h5"),
        ("deeplabcut_several_table.h5", "deeplabcut_h5"),
        ("sleap_matlab.h5", "sleap_h5"),
    ],
)
@slow
@given(damage=DAMAGE)
def test_damaged_hdf5(tmp_path, name, format_name, damage) -> None:
    path = tmp_path / name
    path.write_bytes(damaged((FILES / name).read_bytes(), damage))
    survives(path, format=format_name)


@pytest.fixture(scope="module")
def table(tmp_path_factory, make_keypoints) -> bytes:
    path = tmp_path_factory.mktemp("correct") / "clip.parquet"
    write_keypoints(path, make_keypoints(rows=3))
    return path.read_bytes()


@thorough
@given(damage=DAMAGE)
def test_damaged_parquet(tmp_path, table, damage) -> None:
    path = tmp_path / "clip.parquet"
    path.write_bytes(damaged(table, damage))
    survives(path)
    try:
        rows = sum(map(len, open_stream(path, ReadOptions()).chunks(2)))
    except FormatError:
        rows = 3
    assert rows == 3


VALUES = st.none() | st.integers(-5, 5) | st.floats() | st.text(max_size=3)
CELLS = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=4), max_leaves=12)
FACTS = st.dictionaries(
    st.sampled_from(["skeleton", "fps", "image_size", "intrinsics", "distortion", "lens_model", "tracked"]),
    CELLS | st.just("coco17") | st.just([[1, 0, 2], [0, 1, 2], [0, 0, 1]]),
)


@thorough
@given(data=st.data())
def test_tables_of_anything(tmp_path, data) -> None:
    names = ["keypoints", "confidence", "frame", "person", "intrinsics", "l_hip_x", "l_hip_y"]
    count = data.draw(st.integers(0, 3))
    columns = {}
    for name in data.draw(st.lists(st.sampled_from(names), unique=True)):
        cells = data.draw(st.lists(st.just(None) | CELLS, min_size=count, max_size=count))
        if name == "keypoints" and data.draw(st.booleans()):
            cells = [[float(place) for place in range(34)]] * count
        try:
            columns[name] = pa.array(cells)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            columns[name] = pa.array([str(cell) for cell in cells])
    facts = data.draw(FACTS | VALUES)
    table = pa.table(columns).replace_schema_metadata({"pose_mdn": json.dumps(facts)})
    pq.write_table(table, tmp_path / "any.parquet")
    survives(tmp_path / "any.parquet")


JSON = st.recursive(
    VALUES | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["frames", "landmarks", "pose_landmarks", "x", "y", "visibility", "frame", "name", "fps", "7"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
MARK = st.fixed_dictionaries({"x": JSON, "y": st.floats() | st.integers()}, optional={"visibility": JSON, "name": JSON})


@thorough
@given(document=JSON | st.lists(st.lists(MARK, min_size=33, max_size=33), max_size=2))
def test_any_json(tmp_path, document) -> None:
    (tmp_path / "any.json").write_text(json.dumps(document))
    survives(tmp_path / "any.json", format="mediapipe_json", image_size=(640, 480))


CELL = st.sampled_from(
    ["", "1", "2.5", "nan", "x", "scorer", "bodyparts", "coords", "nose", "l_hip_x", "likelihood", '"', "é"]
)
LINES = st.lists(st.lists(CELL, max_size=5).map(",".join), max_size=7)
HEADERS = st.sampled_from(
    [
        "scorer,a,a,a\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n",
        "bodyparts,nose,hip\ncoords,x,x\n",
        "frame,landmark,x,y,visibility\n",
        ",".join(f"x{i},y{i}" for i in range(33)) + "\n",
        "",
    ]
)


@pytest.mark.parametrize("format_name", ["deeplabcut_csv", "mediapipe_csv", "trc"])
@thorough
@given(header=HEADERS, lines=LINES, tabs=st.booleans())
def test_any_table_of_text(tmp_path, format_name, header, lines, tabs) -> None:
    text = header + "\n".join(lines)
    (tmp_path / "any.csv").write_text(text.replace(",", "\t") if tabs else text)
    survives(tmp_path / "any.csv", format=format_name, image_size=(640, 480))
    survives(tmp_path / "any.csv")


FILM = np.arange(2 * 17 * 2, dtype=np.float32).reshape(2, 17, 2)
TREES = st.recursive(
    VALUES | st.just(FILM) | st.just(FILM[..., 0]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "custom", "b"]), inner, max_size=3)
    ),
    max_leaves=6,
)
METADATA = TREES | st.fixed_dictionaries(
    {}, optional={"layout_name": TREES | st.just("coco"), "keypoints_symmetry": TREES, "video_metadata": TREES}
)


@thorough
@given(tree=TREES | st.just({"a": {"custom": [FILM]}}), metadata=METADATA, damage=DAMAGE)
def test_any_archive_of_objects(tmp_path, tree, metadata, damage) -> None:
    arrays = {}
    for key, value in (("positions_2d", tree), ("metadata", metadata)):
        arrays[key] = np.empty((), object)
        arrays[key][()] = value
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    (tmp_path / "any.npz").write_bytes(stream.getvalue())
    survives(tmp_path / "any.npz", format="videopose3d_npz", trust_pickle=True)
    with zipfile.ZipFile(stream) as archive, zipfile.ZipFile(tmp_path / "any.npz", "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, damaged(archive.read(name), damage))
    survives(tmp_path / "any.npz", format="videopose3d_npz", trust_pickle=True)


PLAIN = st.recursive(
    st.integers() | st.floats(allow_nan=False) | st.text() | st.none() | st.booleans(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.tuples(inner, inner, inner, inner),
    max_leaves=12,
)


@given(value=PLAIN, protocol=st.integers(0, 4))
def test_plain_pickles_are_read_without_unpickling(value, protocol) -> None:
    assert read_plain_pickle(pickle.dumps(value, protocol)) == value


@given(content=st.binary(max_size=40) | st.builds(damaged, PLAIN.map(lambda v: pickle.dumps(v, 0)), DAMAGE))
def test_other_pickles_are_refused(content) -> None:
    with suppress(ValueError):
        read_plain_pickle(content)


@pytest.mark.parametrize("value", [Path("a"), np.float64(1), {"a": 1}, b"a", {1}])
@pytest.mark.parametrize("protocol", range(5))
def test_pickles_that_name_or_build_anything_are_refused(value, protocol) -> None:
    with pytest.raises(ValueError, match="pickle with the instruction"):
        read_plain_pickle(pickle.dumps(value, protocol))
