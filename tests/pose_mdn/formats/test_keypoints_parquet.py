"""Keypoints tables: round trips, what other writers write, and reading piece by piece."""

import itertools
import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import read_keypoints, write_keypoints
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.parquet import open_stream
from pose_mdn.formats.keypoints.parquet_writer import write_pieces
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


@settings(deadline=None, max_examples=60)
@given(
    total=st.integers(0, 40),
    group=st.integers(1, 17),
    rows=st.integers(1, 50),
    limits=st.tuples(st.integers(0, 45), st.integers(0, 45) | st.none()),
    named=st.booleans(),
)
def test_a_stream_gives_the_rows_of_the_whole(
    tmp_path_factory, make_keypoints, assert_same, total, group, rows, limits, named
) -> None:
    path = tmp_path_factory.mktemp("stream") / "clip.parquet"
    frame = np.arange(total) // 3
    table = pa.table({"keypoints": make_keypoints(rows=total).keypoints_px.reshape(total, 34).tolist()})
    if total:
        table = table.append_column("frame", pa.array(frame))
        table = table.append_column("person", pa.array(frame * 2)) if named else table
    else:
        table = table.cast(pa.schema({"keypoints": pa.list_(pa.float32())}))
    pq.write_table(table, path, row_group_size=group)
    options = ReadOptions(skeleton=COCO17)
    stream = pickle.loads(pickle.dumps(open_stream(path, options)))
    whole = read_keypoints(path, skeleton="coco17")
    assert stream.num_rows == len(whole) == total
    wanted = whole.take(slice(*limits))
    pieces = list(stream.chunks(rows, start=limits[0], stop=limits[1]))
    assert [len(piece) for piece in pieces[:-1]] == [rows] * (len(pieces) - 1)
    assert sum(map(len, pieces)) == len(wanted)
    if pieces:
        assert_same(KeypointSequence.concatenate(pieces), wanted)
