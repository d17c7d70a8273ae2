"""The footer of a Parquet file whose columns are numbers, texts, and lists of fixed sizes without nulls.

Field numbers and enumerations: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import base64
import struct as packing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pose_mdn.formats.hypotheses.parquet_pages import PLAIN, RLE, RLE_DICTIONARY
from pose_mdn.formats.hypotheses.parquet_thrift import I16, I32, I64, Encoded, Value, struct

MAGIC = b"PAR1"
UNCOMPRESSED, SNAPPY = 0, 1
"""Codecs by the format's numbers."""

_VERSION = 2
_REQUIRED, _REPEATED = 0, 2
_UTF8, _LIST = 0, 3
_BYTE_ARRAY = 6
_NUMBERS = {pa.int64(): 2, pa.float32(): 4, pa.float64(): 5}
_NOTHING = struct([])
_STRING_TYPE, _LIST_TYPE = struct([(1, _NOTHING)]), struct([(3, _NOTHING)])


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Where the pages of a column lie in a group of rows.

    Attributes:
        num_values: Numbers or texts in it.
        size: Bytes in the file.
        unpacked_size: Bytes with all pages uncompressed.
        codec: How pages are compressed.
        data_offset: Where the first page of data begins.
        dictionary_offset: Where the dictionary begins, if there is one.
        bounds: The least and the greatest number of a column of whole numbers.
    """

    num_values: int
    size: int
    unpacked_size: int
    codec: int
    data_offset: int
    dictionary_offset: int | None = None
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of rows: a chunk for each column, in the order of the schema."""

    num_rows: int
    chunks: tuple[Chunk, ...]


def footer(schema: pa.Schema, groups: Sequence[Group], *, created_by: str) -> bytes:
    """What ends the file, with its length and the magic number.

    Args:
        schema: Of columns that are not null anywhere; its metadata goes into the file as it is.
        groups: All rows, in order.
        created_by: Which program wrote the file.
    """
    # By this key Arrow finds the sizes of its lists and the metadata of its fields again.
    arrow_schema = base64.b64encode(schema.serialize().to_pybytes())
    facts = {**(schema.metadata or {}), b"ARROW:schema": arrow_schema}
    paths = [_path(field) for field in schema]
    metadata = struct(
        [
            (1, I32(_VERSION)),
            (2, list(_elements(schema))),
            (3, I64(sum(group.num_rows for group in groups))),
            (4, [_row_group(schema, paths, group, place) for place, group in enumerate(groups)]),
            (5, [struct([(1, key), (2, value)]) for key, value in facts.items()]),
            (6, created_by.encode()),
            # The order of numbers is the usual one; without this statement readers ignore the bounds.
            (7, [struct([(1, _NOTHING)])] * len(schema)),
        ]
    ).content
    return metadata + len(metadata).to_bytes(4, "little") + MAGIC


def depth_of(arrow_type: pa.DataType) -> int:
    """How many levels of lists a column has."""
    return 1 + depth_of(arrow_type.value_type) if pa.types.is_fixed_size_list(arrow_type) else 0


def _elements(schema: pa.Schema) -> Iterator[Encoded]:
    """The tree of the schema, parents before their children."""
    yield struct([(3, I32(_REQUIRED)), (4, b"schema"), (5, I32(len(schema)))])
    for field in schema:
        yield from _column_elements(field.name, field.type)


def _column_elements(name: str, arrow_type: pa.DataType) -> Iterator[Encoded]:
    title, required, one_child = (4, name.encode()), (3, I32(_REQUIRED)), (5, I32(1))
    if pa.types.is_fixed_size_list(arrow_type):
        yield struct([required, title, one_child, (6, I32(_LIST)), (10, _LIST_TYPE)])
        yield struct([(3, I32(_REPEATED)), (4, b"list"), one_child])
        yield from _column_elements("element", arrow_type.value_type)
    elif pa.types.is_string(arrow_type):
        yield struct([(1, I32(_BYTE_ARRAY)), required, title, (6, I32(_UTF8)), (10, _STRING_TYPE)])
    else:
        yield struct([(1, I32(_NUMBERS[arrow_type])), required, title])


def _path(field: pa.Field) -> list[Value]:
    return [field.name.encode(), *[b"list", b"element"] * depth_of(field.type)]


def _row_group(schema: pa.Schema, paths: Sequence[Sequence[Value]], group: Group, place: int) -> Encoded:
    columns: list[Value] = [
        struct([(2, I64(0)), (3, _column(field.type, path, chunk))])
        for field, path, chunk in zip(schema, paths, group.chunks, strict=True)
    ]
    first = group.chunks[0]
    offset = first.data_offset if first.dictionary_offset is None else first.dictionary_offset
    return struct(
        [
            (1, columns),
            (2, I64(sum(chunk.unpacked_size for chunk in group.chunks))),
            (3, I64(group.num_rows)),
            (5, I64(offset)),
            (6, I64(sum(chunk.size for chunk in group.chunks))),
            # Optional, and too small for the largest files.
            (7, I16(place) if place < 1 << 15 else None),
        ]
    )


def _column(arrow_type: pa.DataType, path: Sequence[Value], chunk: Chunk) -> Encoded:
    while pa.types.is_fixed_size_list(arrow_type):
        arrow_type = arrow_type.value_type
    encodings = (PLAIN, RLE) if chunk.dictionary_offset is None else (PLAIN, RLE, RLE_DICTIONARY)
    return struct(
        [
            (1, I32(_NUMBERS.get(arrow_type, _BYTE_ARRAY))),
            (2, [I32(encoding) for encoding in encodings]),
            (3, path),
            (4, I32(chunk.codec)),
            (5, I64(chunk.num_values)),
            (6, I64(chunk.unpacked_size)),
            (7, I64(chunk.size)),
            (9, I64(chunk.data_offset)),
            (11, None if chunk.dictionary_offset is None else I64(chunk.dictionary_offset)),
            (12, None if chunk.bounds is None else _statistics(*chunk.bounds)),
        ]
    )


def _statistics(least: int, greatest: int) -> Encoded:
    return struct([(3, I64(0)), (5, packing.pack("<q", greatest)), (6, packing.pack("<q", least))])
