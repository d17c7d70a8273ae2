"""Keypoints tables: round trips, what other writers write, and reading piece by piece."""

import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import read_keypoints, write_hypotheses, write_keypoints
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.tables.parquet_stream import open_stream
from pose_mdn.formats.keypoints.tables.parquet_writer import write_pieces
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import COCO17, SKELETONS

SIZES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32 - 1),
        "rows": st.integers(0, 5),
        "skeleton": st.sampled_from(sorted(SKELETONS)),
        "camera": st.booleans(),
    }
)


@settings(deadline=None)
@given(sizes=SIZES)
def test_reading_what_was_written_is_the_identity(tmp_path_factory, make_keypoints, assert_same, sizes) -> None:
    path = tmp_path_factory.mktemp("keypoints") / "clip.parquet"
    sequence = make_keypoints(**sizes)
    write_keypoints(path, sequence)
    assert_same(read_keypoints(path), sequence)


CUTS = st.fixed_dictionaries(
    {
        "total": st.integers(0, 40),
        "group": st.integers(1, 17),
        "rows": st.integers(1, 50),
        "start": st.integers(0, 45),
        "stop": st.integers(0, 45) | st.none(),
        "named": st.booleans(),
    }
)


@settings(deadline=None, max_examples=60)
@given(cuts=CUTS)
def test_a_stream_gives_the_rows_of_the_whole(tmp_path_factory, make_keypoints, assert_same, cuts) -> None:
    path = tmp_path_factory.mktemp("stream") / "clip.parquet"
    total, start, stop = cuts["total"], cuts["start"], cuts["stop"]
    frame = np.arange(total) // 3
    lists = pa.array(make_keypoints(rows=total).keypoints_px.reshape(total, 34).tolist(), pa.list_(pa.float32()))
    columns = {"keypoints": lists, "frame": pa.array(frame), "person": pa.array(frame * 2)}
    pq.write_table(
        pa.table(columns).select(list(columns)[: 3 if cuts["named"] else 2]), path, row_group_size=cuts["group"]
    )
    stream = pickle.loads(pickle.dumps(open_stream(path, ReadOptions(skeleton=COCO17))))
    whole = read_keypoints(path, skeleton="coco17")
    assert stream.num_rows == len(whole) == total
    wanted = whole.take(slice(start, stop))
    pieces = list(stream.chunks(cuts["rows"], start=start, stop=stop))
    assert [len(piece) for piece in pieces[:-1]] == [cuts["rows"]] * (len(pieces) - 1)
    assert sum(map(len, pieces)) == len(wanted)
    if pieces:
        assert_same(KeypointSequence.concatenate(pieces), wanted)


def table_of(columns: dict[str, object], **facts: object) -> pa.Table:
    table = pa.table(columns)
    return table.replace_schema_metadata({"pose_mdn": json.dumps(facts)}) if facts else table


def forms(sequence: KeypointSequence) -> dict[str, dict[str, object]]:
    """The same people in every form that a table may have."""
    count, joints = sequence.confidence.shape
    points, scores = sequence.keypoints_px, sequence.confidence
    three = np.concatenate([points, scores[..., None]], axis=-1)
    flat = pa.array(points.reshape(-1), pa.float32())
    known = {"confidence": scores.tolist()}
    return {
        "lists": {"keypoints": points.reshape(count, -1).tolist(), **known},
        "nested lists": {"keypoints": points.tolist(), **known},
        "doubles": {"keypoints": pa.array(points.tolist(), pa.list_(pa.list_(pa.float64()))), **known},
        "large lists": {"keypoints": pa.array(points.tolist(), pa.large_list(pa.large_list(pa.float32()))), **known},
        "fixed lists": {"keypoints": pa.FixedSizeListArray.from_arrays(flat, joints * 2), **known},
        "tensors": {"keypoints": pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(points)), **known},
        "three numbers": {"keypoints": three.reshape(count, -1).tolist()},
        "nested three": {"keypoints": three.tolist()},
        "nulls": {
            "keypoints": [[None if np.isnan(x) else x for x in row] for row in points.reshape(count, -1)],
            **known,
        },
        "joints apart": {
            f"{name}_{axis}": three[:, joint, place]
            for joint, name in enumerate(sequence.skeleton.joint_names)
            for place, axis in enumerate(("x", "y", "score"))
        },
    }


@pytest.mark.parametrize("form", forms(KeypointSequence(
    keypoints_px=np.zeros((1, 17, 2), np.float32), confidence=np.zeros((1, 17), np.float32), skeleton=COCO17,
    frame=np.zeros(1, int), person=np.zeros(1, int),
)))  # fmt: skip
def test_every_form_of_column_says_the_same(tmp_path, make_keypoints, form) -> None:
    sequence = make_keypoints(rows=5, camera=False)
    path = tmp_path / "clip.parquet"
    pq.write_table(table_of(forms(sequence)[form], skeleton="coco17"), path, row_group_size=2)
    read = read_keypoints(path)
    np.testing.assert_array_equal(read.keypoints_px, sequence.keypoints_px)
    np.testing.assert_array_equal(read.confidence, sequence.confidence)
    assert read.frame.tolist() == list(range(5))
    assert read.skeleton is COCO17


def test_rows_without_keypoints_are_people_of_whom_nothing_was_seen(tmp_path, make_keypoints) -> None:
    points = make_keypoints(rows=3).keypoints_px.reshape(3, -1).tolist()
    for nothing in (None, []):
        table = table_of({"keypoints": pa.array([points[0], nothing, points[2]])}, skeleton="coco17")
        pq.write_table(table, tmp_path / "clip.parquet")
        sequence = read_keypoints(tmp_path / "clip.parquet")
        assert (sequence.confidence > 0).any(axis=1).tolist() == [True, False, True]
    fixed = pa.array([points[0], None, points[2]], pa.list_(pa.float32(), 34))
    pq.write_table(table_of({"keypoints": fixed}, skeleton="coco17"), tmp_path / "clip.parquet")
    np.testing.assert_array_equal(read_keypoints(tmp_path / "clip.parquet").keypoints_px, sequence.keypoints_px)


def test_columns_apart_are_matched_by_name(tmp_path, make_keypoints) -> None:
    sequence = make_keypoints(rows=2, camera=False)
    words = {"l": "left", "r": "right"}
    columns = {}
    for joint, name in enumerate(COCO17.joint_names):
        side, _, part = name.partition("_")
        called = f"{part}{words[side].title()}" if part else name
        columns |= {f"{called}_{axis}": sequence.keypoints_px[:, joint, place] for place, axis in enumerate("xy")}
    pq.write_table(pa.table(columns), tmp_path / "clip.parquet")
    read = read_keypoints(tmp_path / "clip.parquet")
    assert read.skeleton is COCO17
    assert 0.8 < read.layout_confidence < 1
    np.testing.assert_array_equal(read.keypoints_px, sequence.keypoints_px)


@pytest.mark.parametrize("skeleton", ["coco17", "halpe26", "blazepose33", "mpii16"])
@pytest.mark.parametrize("form", ["lists", "nested lists", "three numbers"])
def test_a_table_that_does_not_name_its_layout_is_told_by_its_numbers(tmp_path, make_keypoints, skeleton, form) -> None:
    sequence = make_keypoints(rows=3, camera=False, skeleton=skeleton)
    pq.write_table(pa.table(forms(sequence)[form]), tmp_path / "clip.parquet")
    read = read_keypoints(tmp_path / "clip.parquet")
    assert read.skeleton.name == skeleton
    assert 0.5 < read.layout_confidence < 1
    np.testing.assert_array_equal(read.keypoints_px, sequence.keypoints_px)


def test_a_hypotheses_table_can_be_lifted_again_without_its_assumed_camera(tmp_path, make_hypotheses) -> None:
    for camera in (True, False):
        hypotheses = make_hypotheses(camera=camera)
        hypotheses.intrinsics[:] = [[1500.123456789, 0, 960], [0, 1400, 540], [0, 0, 1]]
        write_hypotheses(tmp_path / "result.parquet", hypotheses)
        sequence = read_keypoints(tmp_path / "result.parquet")
        assert len(sequence) == len(hypotheses)
        assert (sequence.intrinsics is not None) is camera
        if camera:
            np.testing.assert_array_equal(sequence.intrinsics, hypotheses.intrinsics)


def test_writing_in_pieces_is_writing_the_whole(tmp_path, make_keypoints, assert_same) -> None:
    sequence = make_keypoints(rows=7)
    rows = write_pieces(tmp_path / "pieces.parquet", (sequence.take(slice(i, i + 3)) for i in range(0, 7, 3)))
    assert rows == 7
    assert_same(read_keypoints(tmp_path / "pieces.parquet"), sequence)
    write_keypoints(tmp_path / "a.parquet", sequence)
    write_keypoints(tmp_path / "b.parquet", sequence)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_pieces_that_do_not_belong_together_leave_nothing_behind(tmp_path, make_keypoints) -> None:
    with pytest.raises(InputError, match="pieces of one layout"):
        write_pieces(tmp_path / "x.parquet", [make_keypoints(), make_keypoints(skeleton="body25")])
    with pytest.raises(InputError, match="at least one piece"):
        write_pieces(tmp_path / "x.parquet", [])
    assert list(tmp_path.iterdir()) == []


POINTS = np.random.default_rng(0).uniform(10, 1000, (3, 34)).tolist()
WRONG = {
    "no keypoints": ({"frame": [1]}, {}, "the column 'keypoints', got only frame"),
    "no layout": (
        {"keypoints": [row[:28] for row in POINTS]},
        {},
        "the layout of the joints, got none, and lists of 28",
    ),
    "unknown layout": ({"keypoints": POINTS}, {"skeleton": "coco18"}, "did you mean 'coco17'"),
    "another layout": ({"keypoints": POINTS}, {"skeleton": "body25"}, "25 joints of 2 or 3 numbers .* lists of 34"),
    "ragged": ({"keypoints": [*POINTS[:2], POINTS[2][:30]]}, {"skeleton": "coco17"}, "lists of 34 .* got one of 30"),
    "text": ({"keypoints": [["a"] * 34]}, {"skeleton": "coco17"}, "numbers in 'keypoints', got string"),
    "no lists": ({"keypoints": [1.0, 2.0]}, {"skeleton": "coco17"}, "got lists of nothing"),
    "fractions": (
        {"keypoints": np.linspace(0, 1, 102).reshape(3, 34).tolist()},
        {"skeleton": "coco17"},
        "as if normalised",
    ),
    "percentages": ({"keypoints": POINTS, "confidence": [[90.0] * 17] * 3}, {"skeleton": "coco17"}, "divide percent"),
    "misspelt": ({"keypoints": POINTS, "confidences": [1, 2, 3]}, {"skeleton": "coco17"}, "rename it to 'confidence'"),
    "frame has nulls": ({"keypoints": POINTS, "frame": [1, None, 3]}, {"skeleton": "coco17"}, "got nulls"),
    "person is text": ({"keypoints": POINTS, "person": ["a"] * 3}, {"skeleton": "coco17"}, "whole numbers in 'person'"),
    "fps is text": ({"keypoints": POINTS}, {"skeleton": "coco17", "fps": "fast"}, "one number above 0 in 'fps'"),
    "camera is ragged": ({"keypoints": POINTS}, {"skeleton": "coco17", "intrinsics": [[1], 2]}, "in 'intrinsics'"),
}


@pytest.mark.parametrize(("columns", "facts", "message"), WRONG.values(), ids=WRONG)
def test_each_mistake_gives_one_line_that_names_the_file(tmp_path, columns, facts, message) -> None:
    path = tmp_path / "clip.parquet"
    pq.write_table(table_of(columns, **facts), path)
    with pytest.raises(FormatError, match=message) as caught:
        read_keypoints(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)


def test_a_late_slice_of_odd_rows_is_no_reason_to_refuse(tmp_path, make_keypoints) -> None:
    # Scores and coordinates are judged once, by the file's beginning.
    sequence = make_keypoints(rows=5, camera=False)
    points, scores = sequence.keypoints_px.copy(), sequence.confidence.copy()
    points[4], scores[4] = np.arange(34).reshape(17, 2) / 34, 50
    table = table_of({"keypoints": points.tolist(), "confidence": scores.tolist()}, skeleton="coco17")
    pq.write_table(table, tmp_path / "clip.parquet")
    last = list(open_stream(tmp_path / "clip.parquet", ReadOptions()).chunks(1))[4]
    assert (last.confidence == 1).all()


def test_memory_does_not_grow_with_the_file(tmp_path) -> None:
    rows = 400_000
    points = np.random.default_rng(0).uniform(0, 1000, (rows, 17, 2)).astype(np.float32)
    numbers = np.arange(rows)
    scores = np.ones((rows, 17), np.float32)
    write_keypoints(
        tmp_path / "long.parquet",
        KeypointSequence(keypoints_px=points, confidence=scores, skeleton=COCO17, frame=numbers, person=numbers),
    )
    stream = open_stream(tmp_path / "long.parquet", ReadOptions())
    before = pa.total_allocated_bytes()
    largest = 0
    for piece in stream.chunks(512):
        assert len(piece) in {512, rows % 512}
        largest = max(largest, pa.total_allocated_bytes() - before)
    assert largest < (points.nbytes + scores.nbytes) / 3
