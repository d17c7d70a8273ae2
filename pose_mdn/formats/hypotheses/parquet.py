"""Hypotheses files as `.parquet`.

A row per pose; arrays are nested lists of fixed size; facts about the whole file are JSON in the schema's metadata.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pose_mdn.errors import FormatError
from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.hypotheses.columns import COLUMNS, Column, choose_columns
from pose_mdn.formats.hypotheses.contents import OPTIONAL_FACTS, REQUIRED_FACTS, from_arrays, to_arrays
from pose_mdn.formats.hypotheses.parquet_writer import METADATA_KEY, ROWS_PER_GROUP, HypothesesWriter, arrow_type
from pose_mdn.formats.npz_archive import check_expansion
from pose_mdn.poses.hypotheses import HypothesisSequence

_COLUMN_KEYS = frozenset(column.key for column in COLUMNS)


def write(path: Path, sequence: HypothesisSequence, *, columns: Sequence[str] | None = None) -> None:
    """Write a table with page checksums, so that damage is noticed when it is read.

    Args:
        path: Where to.
        sequence: What to write.
        columns: Keys of the columns to write; all if left out, which `read` insists on.

    Raises:
        InputError: There is no such column, or the place cannot be written to.
    """
    arrays, chosen = to_arrays(sequence), choose_columns(columns)
    with replace_atomically(path) as stream:
        writer = HypothesesWriter(stream, facts_of(arrays), num_hypotheses=sequence.num_hypotheses, columns=chosen)
        for start in range(0, len(sequence), ROWS_PER_GROUP):
            rows = slice(start, start + ROWS_PER_GROUP)
            writer.write({column.key: np.ascontiguousarray(arrays[column.key][rows]) for column in chosen})
        writer.close()


def facts_of(arrays: Mapping[str, Array]) -> dict[str, object]:
    """What holds for the whole file, as JSON knows it, of everything that `to_arrays` gives."""
    return {key: array.tolist() for key, array in arrays.items() if key not in _COLUMN_KEYS}


def read(path: Path) -> HypothesisSequence:
    """Read a table, also one that another tool has filtered or sorted and written again with its metadata.

    Raises:
        FormatError: The file cannot be read, is damaged, or lacks columns or metadata.
    """
    with _faults_of(path), path.open("rb") as stream:
        return from_arrays(path, _read_arrays(path, stream))


def read_parts(path: Path, rows: int) -> Iterator[HypothesisSequence]:
    """Read a table of any length in pieces of at most so many rows, in order; no piece crosses a row group.

    Raises:
        FormatError: As `read` does, when the piece comes that cannot be read.
    """
    with _faults_of(path), path.open("rb") as stream:
        file, facts, columns, hypotheses = _opened(path, stream)
        keys = [column.key for column in columns]
        # Row group by row group: pyarrow keeps what it has read of a file until the iterator ends.
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(rows, row_groups=[group], columns=keys, use_threads=False):
                table = pa.Table.from_batches([batch])
                yield from_arrays(path, _to_arrays(path, table, facts, columns, hypotheses))


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Whatever goes wrong in the file becomes a `FormatError` that names it."""
    try:
        yield
    except FormatError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise unreadable(path, error) from error
        raise _damaged(path, error) from error
    except (pa.ArrowException, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise _damaged(path, error) from error


def _read_arrays(path: Path, stream: object) -> dict[str, Array]:
    file, facts, columns, hypotheses = _opened(path, stream)
    row_bytes = sum(math.prod(column.sizes(hypotheses)) * np.dtype(column.dtype).itemsize for column in columns)
    check_expansion(path, file.metadata.num_rows * row_bytes)
    table = file.read(columns=[column.key for column in columns])
    return _to_arrays(path, table, facts, columns, hypotheses)


def _opened(path: Path, stream: object) -> tuple[pq.ParquetFile, dict[str, object], list[Column], int]:
    """The table, its facts, the columns that it has, and how many hypotheses a row holds."""
    file = pq.ParquetFile(stream, page_checksum_verification=True)
    facts = _read_facts(path, file.schema_arrow)
    hypotheses = facts.pop("num_hypotheses")
    if not isinstance(hypotheses, int) or not 0 <= hypotheses < 2**20:
        raise fault(path, expected="a count in 'num_hypotheses'", got=shown(hypotheses), cure="write the file again")
    columns = [column for column in COLUMNS if not column.optional or column.key in file.schema_arrow.names]
    missing = {column.key for column in columns} - set(file.schema_arrow.names)
    if missing:
        raise fault(
            path, expected=f"the column {min(missing)!r}", got="none", cure="keep all columns of the hypotheses file"
        )
    return file, facts, columns, hypotheses


def _to_arrays(
    path: Path, table: pa.Table, facts: Mapping[str, object], columns: Sequence[Column], hypotheses: int
) -> dict[str, Array]:
    arrays: dict[str, Array] = {key: np.array(value) for key, value in facts.items()}
    for column in columns:
        arrays[column.key] = _from_arrow(path, table.column(column.key), column, hypotheses)
    return arrays


def _read_facts(path: Path, schema: pa.Schema) -> dict[str, object]:
    facts = json.loads((schema.metadata or {}).get(METADATA_KEY, b"null"))
    known = (*REQUIRED_FACTS, *OPTIONAL_FACTS, "num_hypotheses")
    if not isinstance(facts, dict) or not {*REQUIRED_FACTS, "num_hypotheses"} <= set(facts):
        raise fault(
            path,
            expected="schema metadata 'pose_mdn' with joint names, units and model",
            got=shown(facts),
            cure="keep the schema's metadata when you write the table again",
        )
    return {key: value for key, value in facts.items() if key in known}


def _from_arrow(path: Path, values: pa.ChunkedArray, column: Column, num_hypotheses: int) -> Array:
    # The cast also brings back the fixed sizes where another tool has written plain lists.
    array = values.combine_chunks().cast(arrow_type(column, num_hypotheses))
    rows = len(array)
    while pa.types.is_fixed_size_list(array.type):
        array = array.flatten()
    shape = (rows, *column.sizes(num_hypotheses))
    if array.null_count or len(array) != math.prod(shape):
        raise fault(path, expected=f"no nulls in {column.key!r}", got="some", cure="write NaN for unknown numbers")
    if column.dtype is np.str_:
        return np.array(array.to_pylist(), np.str_)
    flat: Array = array.to_numpy(zero_copy_only=False)
    return flat.reshape(shape)


def _damaged(path: Path, error: Exception) -> FormatError:
    return fault(
        path,
        expected="a whole Parquet hypotheses file",
        got=f"a damaged, truncated or other file ({str(error)[:120]!r})",
        cure="write it again",
    )
