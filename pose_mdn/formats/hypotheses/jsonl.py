"""Hypotheses files as `.jsonl`: a line with the facts about the whole file, then an object per row.

Numbers are written with as many digits as tell them apart from their neighbours, so reading gives the same bits back.
NaN and infinite numbers become null, which is read as NaN.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from pathlib import Path
from types import NoneType
from typing import BinaryIO, cast

import numpy as np
import orjson

from pose_mdn.errors import FormatError
from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.hypotheses.columns import COLUMNS, Column
from pose_mdn.formats.hypotheses.contents import OPTIONAL_FACTS, REQUIRED_FACTS, from_arrays, to_arrays
from pose_mdn.poses.hypotheses import HypothesisSequence

FACTS_KEY = "pose_mdn"
"""The one key of the first line."""

_ROWS_AT_ONCE = 256
_LONGEST_LINE = 2**26
_MOST_HYPOTHESES = 2**20
_KIND_NAMES = {np.float32: "numbers", np.float64: "numbers", np.int64: "a whole number", np.str_: "a text"}
_AS_NUMPY = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def write(path: Path, sequence: HypothesisSequence) -> None:
    """Write rows a few at a time, so that the text is never in memory as a whole."""
    arrays = to_arrays(sequence)
    keys = [column.key for column in COLUMNS]
    facts = {key: array.tolist() for key, array in arrays.items() if key not in keys}
    facts["num_hypotheses"] = sequence.num_hypotheses
    facts["units"] = {column.key: column.unit for column in COLUMNS if column.unit}
    with replace_atomically(path) as stream:
        stream.write(orjson.dumps({FACTS_KEY: facts}, option=orjson.OPT_APPEND_NEWLINE))
        for start in range(0, len(sequence), _ROWS_AT_ONCE):
            part = [_writable(arrays[key][start : start + _ROWS_AT_ONCE]) for key in keys]
            rows = (dict(zip(keys, row, strict=True)) for row in zip(*part, strict=True))
            stream.writelines(orjson.dumps(row, option=_AS_NUMPY) for row in rows)


def read(path: Path) -> HypothesisSequence:
    """Read a file, also one of which lines were taken out or sorted, as long as the first stays.

    Raises:
        FormatError: The file cannot be read, is damaged, or lacks its first line or keys.
    """
    try:
        with path.open("rb") as stream:
            return from_arrays(path, _read_arrays(path, stream))
    except FormatError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise fault(
            path,
            expected="a whole JSON lines hypotheses file",
            got=f"a damaged or other file ({str(error)[:120]!r})",
            cure="write it again",
        ) from error


def _writable(array: Array) -> Iterable[object]:
    return array.tolist() if array.dtype.kind == "U" else np.ascontiguousarray(array)


def _read_arrays(path: Path, stream: BinaryIO) -> dict[str, Array]:
    lines = _lines(path, stream)
    facts = _facts(path, next(lines, (1, b"")))
    hypotheses = facts.pop("num_hypotheses")
    if type(hypotheses) is not int or not 0 <= hypotheses < _MOST_HYPOTHESES:
        raise fault(path, expected="a count in 'num_hypotheses'", got=shown(hypotheses), cure="write the file again")
    columns = list(COLUMNS)
    parts: list[list[Array]] = []
    while chunk := list(islice(lines, _ROWS_AT_ONCE)):
        rows = [_row(path, number, line) for number, line in chunk]
        if not parts:
            columns = [column for column in COLUMNS if not column.optional or column.key in rows[0]]
        parts.append([_array(path, column, rows, chunk, hypotheses) for column in columns])
    parts = parts or [[np.empty((0, *_sizes(column, hypotheses)), column.dtype) for column in columns]]
    arrays: dict[str, Array] = {key: np.array(value) for key, value in facts.items()}
    arrays |= {
        column.key: np.concatenate(found) for column, found in zip(columns, zip(*parts, strict=True), strict=True)
    }
    return arrays


def _lines(path: Path, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their numbers."""
    for number in count(1):
        line = stream.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE:
            raise _fault(path, number, "an object", f"a line of more than {_LONGEST_LINE} bytes")
        if not line.isspace():
            yield number, line


def _row(path: Path, number: int, line: bytes) -> dict[str, object]:
    try:
        row = orjson.loads(line)
    except ValueError as error:
        raise _fault(path, number, "an object", f"{str(error)[:80]!r}") from error
    if not isinstance(row, dict):
        raise _fault(path, number, "an object", shown(row))
    return row


def _facts(path: Path, first: tuple[int, bytes]) -> dict[str, object]:
    """What holds for the whole file, from its first line."""
    facts = _row(path, *first).get(FACTS_KEY)
    if not isinstance(facts, dict) or not {*REQUIRED_FACTS, "num_hypotheses"} <= set(facts):
        raise fault(
            path,
            expected=f"a first line with the key {FACTS_KEY!r}, for joint names, units and model",
            got=shown(facts),
            cure="keep the first line when you write the rows again",
        )
    return {key: facts[key] for key in (*REQUIRED_FACTS, *OPTIONAL_FACTS, "num_hypotheses") if key in facts}


def _array(
    path: Path, column: Column, rows: list[dict[str, object]], lines: list[tuple[int, bytes]], hypotheses: int
) -> Array:
    """The values of one key in some rows; if they do not fit, the row at fault is looked for."""
    found = _converted([row.get(column.key) for row in rows], column, hypotheses)
    if found is not None:
        return found
    for row, (number, _) in zip(rows, lines, strict=True):
        if _converted([row.get(column.key)], column, hypotheses) is None:
            sizes = "".join(f"[{size}]" for size in _sizes(column, hypotheses))
            wanted = f"{_KIND_NAMES[column.dtype]}{sizes} in {column.key!r}"
            raise _fault(path, number, wanted, shown(row.get(column.key)))
    raise _fault(path, lines[0][0], f"values of one kind in {column.key!r}", "several")


def _converted(values: list[object], column: Column, hypotheses: int) -> Array | None:
    """(N, ...) values, or `None` if they are not what the column holds."""
    if column.dtype is np.str_:
        return np.array(values, np.str_) if _kinds(values) <= {str} else None
    if column.dtype is np.int64:
        whole = _kinds(values) <= {int} and all(abs(cast(int, value)) < 2**62 for value in values)
        return np.array(values, np.int64) if whole else None
    shape = (len(values), *_sizes(column, hypotheses))
    # Level by level; NumPy takes five times as long to find out the shape of nested lists.
    for size in shape[1:]:
        lists = cast(list[list[object]], values)
        if not (_kinds(values) <= {list} and set(map(len, lists)) <= {size}):
            return None
        values = list(chain.from_iterable(lists))
    if not _kinds(values) <= {float, int, NoneType}:
        return None
    with np.errstate(over="ignore"):
        return np.array(values, np.float64).astype(column.dtype).reshape(shape)


def _kinds(values: list[object]) -> set[type]:
    return set(map(type, values))


def _sizes(column: Column, hypotheses: int) -> tuple[int, ...]:
    return tuple(hypotheses if size == "M" else int(size) for size in column.shape)


def _fault(path: Path, number: int, expected: str, got: str) -> FormatError:
    return fault(path, expected=f"{expected} in line {number}", got=got, cure="write the file again")
