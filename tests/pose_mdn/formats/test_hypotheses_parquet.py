"""The Parquet file that is encoded here is read by Arrow as what was written, and is what Arrow would have written."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.formats.hypotheses.columns import COLUMNS, choose_columns
from pose_mdn.formats.hypotheses.parquet_thrift import I32, struct, varint
from pose_mdn.formats.hypotheses.parquet_writer import HypothesesWriter, arrow_type
from pose_mdn.poses.status import Status

TEXTS = [status.value for status in Status]


def columns_of(rows: int, num_hypotheses: int, seed: int, texts: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = {}
    for column in COLUMNS:
        shape = (rows, *column.sizes(num_hypotheses))
        if column.dtype is np.str_:
            arrays[column.key] = np.array(TEXTS)[rng.integers(0, texts, shape)]
        elif column.dtype is np.int64:
            arrays[column.key] = rng.integers(-(2**62), 2**62, shape)
        else:
            # Of any bits: also infinities and every kind of NaN.
            arrays[column.key] = np.frombuffer(
                rng.bytes(int(np.prod(shape)) * np.dtype(column.dtype).itemsize), column.dtype
            ).reshape(shape)
    return arrays


def written(groups: list[dict[str, np.ndarray]], num_hypotheses: int) -> io.BytesIO:
    stream = io.BytesIO()
    writer = HypothesesWriter(stream, {"model": "é"}, num_hypotheses=num_hypotheses)
    for group in groups:
        writer.write(group)
    writer.close()
    return stream


def bits(table: pa.Table, name: str) -> object:
    array = table.column(name).combine_chunks()
    while pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    return array.to_pylist() if pa.types.is_string(array.type) else array.to_numpy(zero_copy_only=False).tobytes()


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 2, 7, 8, 9, 300]), max_size=3),
    num_hypotheses=st.integers(1, 6),
    seed=st.integers(0, 1000),
    texts=st.integers(1, len(TEXTS)),
)
def test_arrow_reads_every_bit_that_was_written(sizes, num_hypotheses, seed, texts) -> None:
    groups = [columns_of(rows, num_hypotheses, seed + place, texts) for place, rows in enumerate(sizes)]
    file = pq.ParquetFile(written(groups, num_hypotheses), page_checksum_verification=True)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == sizes
    table = file.read()
    table.validate(full=True)
    for column in COLUMNS:
        assert table.schema.field(column.key).type == arrow_type(column, num_hypotheses)
        expected = [group[column.key] for group in groups]
        if column.dtype is np.str_:
            assert bits(table, column.key) == [str(text) for array in expected for text in array]
        else:
            assert bits(table, column.key) == b"".join(array.tobytes() for array in expected)


def test_the_schema_is_the_one_that_arrow_writes() -> None:
    stream = written([columns_of(3, 5, 0, 2)], 5)
    ours = pq.ParquetFile(stream)
    again = io.BytesIO()
    pq.write_table(ours.read(), again)
    assert ours.schema.equals(pq.ParquetFile(again).schema)
    assert ours.schema_arrow.equals(pq.ParquetFile(again).schema_arrow, check_metadata=True)
    assert b"\\u00e9" in ours.schema_arrow.metadata[b"pose_mdn"]


def test_groups_without_the_frames_asked_for_are_skipped() -> None:
    groups = [columns_of(4, 2, seed, 1) for seed in range(3)]
    for place, group in enumerate(groups):
        group["frame"] = np.arange(4) + 100 * place
    metadata = pq.ParquetFile(written(groups, 2)).metadata
    bounds = [metadata.row_group(place).column(0).statistics for place in range(3)]
    assert [(bound.min, bound.max, bound.null_count) for bound in bounds] == [(0, 3, 0), (100, 103, 0), (200, 203, 0)]


def test_pages_end_within_groups_and_repeated_ones_are_packed() -> None:
    columns = columns_of(5000, 1, 0, 3)
    columns["intrinsics"] = np.broadcast_to(np.eye(3), (5000, 3, 3)).copy()
    file = pq.ParquetFile(written([columns], 1), page_checksum_verification=True)
    table = file.read()
    assert bits(table, "intrinsics") == columns["intrinsics"].tobytes()
    assert bits(table, "means") == columns["means"].tobytes()
    packed = file.metadata.row_group(0).column(file.schema_arrow.names.index("intrinsics"))
    assert packed.total_compressed_size < packed.total_uncompressed_size / 5


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_changed_bit_in_a_page_is_noticed(place) -> None:
    content = bytearray(written([columns_of(2000, 2, 0, 3)], 2).getvalue())
    content[int(len(content) * place)] ^= 4
    with pytest.raises(OSError, match=r"(?i)crc|checksum|corrupt|deserialize|page"):
        pq.ParquetFile(io.BytesIO(content), page_checksum_verification=True).read()


def test_columns_are_chosen_by_name_in_the_order_of_the_file() -> None:
    assert [column.key for column in choose_columns(["means", "frame"])] == ["frame", "means"]
    assert choose_columns(None) == COLUMNS
    for wrong in ([], ["means", "mean"]):
        with pytest.raises(InputError, match="columns: expected some of"):
            choose_columns(wrong)


def test_thrift_in_known_bytes() -> None:
    """Examples by hand from the protocol's description: varints in sevens, zigzag, steps between field numbers."""
    assert varint(300) == b"\xac\x02"
    assert struct([(1, I32(-1)), (2, None), (20, b"ab")]).content == b"\x15\x01\x08\x28\x02ab\x00"
    assert struct([(1, [I32(1)] * 15)]).content == b"\x19\xf5\x0f" + b"\x02" * 15 + b"\x00"
