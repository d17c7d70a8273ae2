"""Writing hypotheses as Parquet group by group, nearly as fast as memory can be copied.

Arrow's own writer works out the levels of every number of nested lists anew, which costs a third of what lifting
costs. Here they are known beforehand (`parquet_pages`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.hypotheses.columns import COLUMNS, Column
from pose_mdn.formats.hypotheses.parquet_footer import MAGIC, SNAPPY, UNCOMPRESSED, Chunk, Group, footer
from pose_mdn.formats.hypotheses.parquet_pages import Page, dictionary_page, index_page, plain_page

METADATA_KEY = b"pose_mdn"
"""Key of the schema metadata under which the facts about the whole file stand as JSON."""

ROWS_PER_GROUP = 16_384
"""Rows of every group but the last."""

_ROWS_PER_PAGE = 2048
_CREATED_BY = "pose-mdn version 1 (build 1)"
"""In the form that readers in Java want. The version is the writer's, so that the library's does not change a file."""
_ARROW_TYPES = {np.float32: pa.float32(), np.float64: pa.float64(), np.int64: pa.int64(), np.str_: pa.string()}
_REPETITIVE = frozenset({"intrinsics", "root_std"})
"""Columns that mostly hold one row again and again, which packs well; the other numbers hardly do."""


def arrow_type(column: Column, num_hypotheses: int) -> pa.DataType:
    """The type of a column: its numbers, in lists of fixed sizes."""
    result = _ARROW_TYPES[column.dtype]
    for size in reversed(column.sizes(num_hypotheses)):
        result = pa.list_(pa.field("element", result, nullable=False), size)
    return result


class HypothesesWriter:
    """A Parquet file of hypotheses in the making, with page checksums, so that damage is noticed when it is read.

    Attributes:
        columns: What is written.
    """

    def __init__(
        self,
        stream: BinaryIO,
        facts: Mapping[str, object],
        *,
        num_hypotheses: int,
        columns: Sequence[Column] = COLUMNS,
    ) -> None:
        """Begin a file.

        Args:
            stream: Where to, at its beginning.
            facts: What holds for the whole file; values that JSON knows.
            num_hypotheses: M.
            columns: What to write.
        """
        self.columns = tuple(columns)
        self._stream = stream
        self._schema = _schema(facts, num_hypotheses, self.columns)
        self._groups: list[Group] = []
        self._offset = 0
        self._packed: dict[str, tuple[bytes, Page]] = {}
        self._write(MAGIC)

    def write(self, arrays: Mapping[str, Array]) -> None:
        """Write a group of at most `ROWS_PER_GROUP` rows.

        Args:
            arrays: (rows, ...) contiguous, by the columns' keys, of the columns' types.
        """
        rows = len(arrays[self.columns[0].key])
        chunks = tuple(self._write_chunk(column, arrays[column.key]) for column in self.columns)
        self._groups.append(Group(num_rows=rows, chunks=chunks))

    def close(self) -> None:
        """End the file; the stream stays open."""
        self._write(footer(self._schema, self._groups, created_by=_CREATED_BY))

    def _write_chunk(self, column: Column, array: Array) -> Chunk:
        begin = self._offset
        pages = _text_pages(array) if column.dtype is np.str_ else self._number_pages(column, array)
        offsets, unpacked_size = [], 0
        for page in pages:
            offsets.append(self._offset)
            unpacked_size += page.unpacked_size
            self._write(*page.parts)
        is_text = column.dtype is np.str_
        return Chunk(
            num_values=array.size,
            size=self._offset - begin,
            unpacked_size=unpacked_size,
            codec=SNAPPY if column.key in _REPETITIVE else UNCOMPRESSED,
            data_offset=offsets[1] if is_text else offsets[0],
            dictionary_offset=offsets[0] if is_text else None,
            bounds=(int(array.min()), int(array.max())) if column.dtype is np.int64 else None,
        )

    def _number_pages(self, column: Column, array: Array) -> Iterator[Page]:
        for start in range(0, len(array), _ROWS_PER_PAGE):
            part = array[start : start + _ROWS_PER_PAGE]
            yield self._repetitive_page(column.key, part) if column.key in _REPETITIVE else plain_page(part)

    def _repetitive_page(self, key: str, array: Array) -> Page:
        """A packed page; the last one of the column again, if the numbers are the same."""
        content = array.tobytes()
        last = self._packed.get(key)
        if last is None or last[0] != content:
            last = self._packed[key] = content, plain_page(array, _pack)
        return last[1]

    def _write(self, *parts: bytes | memoryview) -> None:
        for part in parts:
            self._stream.write(part)
            self._offset += len(part)


def _schema(facts: Mapping[str, object], num_hypotheses: int, columns: Sequence[Column]) -> pa.Schema:
    whole = dict(facts)
    whole["num_hypotheses"] = num_hypotheses
    whole["units"] = {column.key: column.unit for column in columns if column.unit}
    fields = [
        pa.field(
            column.key,
            arrow_type(column, num_hypotheses),
            nullable=False,
            metadata={"unit": column.unit, "meaning": column.meaning},
        )
        for column in columns
    ]
    return pa.schema(fields, metadata={METADATA_KEY: json.dumps(whole)})


def _text_pages(array: Array) -> Iterator[Page]:
    encoded = pa.array(array, pa.string()).dictionary_encode()
    yield dictionary_page(encoded.dictionary.to_pylist())
    yield index_page(encoded.indices.to_numpy(), len(encoded.dictionary))


def _pack(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="snappy", asbytes=True)
    return packed
