"""Keypoints tables written whole or piece by piece."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pose_mdn.errors import InputError
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.keypoints.tables.parquet_facts import METADATA_KEY, write_facts
from pose_mdn.poses.keypoints import KeypointSequence

_ROWS_PER_GROUP = 131_072


def write(path: Path, sequence: KeypointSequence) -> None:
    """Write a keypoints table, atomically."""
    write_pieces(path, [sequence])


def write_pieces(path: Path, pieces: Iterable[KeypointSequence]) -> int:
    """Write a keypoints table of which only one piece at a time need be in memory, atomically.

    Args:
        path: Where to.
        pieces: At least one; all of one layout, with or without one camera matrix per row. What describes the whole
            recording is taken from the first.

    Returns:
        N, the rows written.

    Raises:
        InputError: No pieces, pieces that do not belong together, or a place that cannot be written to.
    """
    remaining = iter(pieces)
    first = next(remaining, None)
    if first is None:
        raise InputError(f"{path}: expected at least one piece, got none", field="pieces")
    schema, rows = _schema(first), 0
    with (
        replace_atomically(path) as stream,
        pq.ParquetWriter(stream, schema, write_page_checksum=True) as writer,
    ):
        for piece in chain([first], remaining):
            if _schema(piece) != schema:
                raise InputError(f"{path}: expected pieces of one layout, got others; write them apart", field="pieces")
            writer.write_table(_to_table(piece, schema), row_group_size=_ROWS_PER_GROUP)
            rows += len(piece)
    return rows


def _schema(sequence: KeypointSequence) -> pa.Schema:
    joints = sequence.skeleton.num_joints
    fields = [
        pa.field("keypoints", _lists(pa.float32(), joints, 2), nullable=False, metadata={"unit": "px"}),
        pa.field("confidence", _lists(pa.float32(), joints), nullable=False),
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("person", pa.int64(), nullable=False),
    ]
    if sequence.intrinsics is not None and sequence.intrinsics.ndim == 3:
        fields.append(pa.field("intrinsics", _lists(pa.float64(), 3, 3), nullable=False, metadata={"unit": "px"}))
    return pa.schema(fields, metadata={METADATA_KEY: write_facts(sequence)})


def _lists(arrow_type: pa.DataType, *sizes: int) -> pa.DataType:
    for size in reversed(sizes):
        arrow_type = pa.list_(pa.field("element", arrow_type, nullable=False), size)
    return arrow_type


def _to_table(sequence: KeypointSequence, schema: pa.Schema) -> pa.Table:
    arrays = {
        "keypoints": sequence.keypoints_px,
        "confidence": sequence.confidence,
        "frame": sequence.frame,
        "person": sequence.person,
        "intrinsics": sequence.intrinsics,
    }
    columns = []
    for field in schema:
        levels, arrow_type = [], field.type
        while pa.types.is_fixed_size_list(arrow_type):
            levels.append(arrow_type)
            arrow_type = arrow_type.value_type
        values = np.ascontiguousarray(arrays[field.name], arrow_type.to_pandas_dtype())
        column = pa.array(values.reshape(-1), arrow_type)
        for level in reversed(levels):
            column = pa.FixedSizeListArray.from_arrays(column, type=level)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)
