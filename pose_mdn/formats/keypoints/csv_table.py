"""CSV files: a few rows of headers, then columns of numbers."""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault, unreadable

_DELIMITERS = ",;\t"
_LONGEST_HEADER = 2**20
_NOTHING = ["", "nan", "NaN", "NAN", "null", "None", "NA", "N/A", "-nan", "inf", "-inf", "Infinity", "-Infinity"]


@dataclass(frozen=True, kw_only=True)
class CsvFile:
    """A file in memory, of which the headers are known and the rest is not looked at yet.

    Attributes:
        path: The file, for messages.
        content: Its bytes.
        delimiter: What separates its cells.
        head: Its first rows as text.
    """

    path: Path
    content: bytes
    delimiter: str
    head: tuple[tuple[str, ...], ...]

    def columns(self, header_rows: int, *, text: Collection[int] = ()) -> list[NDArray[np.generic]]:
        """The columns below the headers: float64, NaN for empty cells, and text where asked.

        Raises:
            FormatError: Rows of different lengths, or a cell that is no number.
        """
        count = max((len(row) for row in self.head[:header_rows]), default=0)
        names = [f"c{place}" for place in range(count)]
        types = {name: pa.string() if place in text else pa.float64() for place, name in enumerate(names)}
        if not self.content.replace(b"\r", b"\n").split(b"\n", header_rows)[header_rows:]:
            return [np.zeros(0, np.str_ if place in text else np.float64) for place in range(count)]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(self.content),
                read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=header_rows, use_threads=False),
                parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter),
                convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=_NOTHING),
            )
        except (pa.ArrowException, ValueError, MemoryError) as error:
            got = f"this: {str(error)[:160]}"
            raise fault(self.path, expected=f"rows of {count} numbers", got=got, cure="write the file again") from error
        return [_to_numpy(table.column(name)) for name in names]


def open_csv(path: Path, *, header_rows: int) -> CsvFile:
    """Read a file and the cells of its first rows.

    Raises:
        FormatError: It cannot be read, or is no text.
    """
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise unreadable(path, error) from error
    head = parse_head(content, header_rows)
    if head is None:
        raise fault(path, expected="lines of text", got="other bytes", cure="write it as CSV in UTF-8")
    delimiter, rows = head
    return CsvFile(path=path, content=content, delimiter=delimiter, head=rows)


def parse_head(content: bytes, rows: int) -> tuple[str, tuple[tuple[str, ...], ...]] | None:
    """The delimiter and the cells of the first rows; `None` if these are no text."""
    lines = content[:_LONGEST_HEADER].splitlines()[:rows]
    try:
        text = [line.decode("utf-8").removeprefix("\ufeff") for line in lines]
        delimiter = max(_DELIMITERS, key=text[0].count) if text else ","
        cells = islice(csv.reader(text, delimiter=delimiter), rows)
        return delimiter, tuple(tuple(cell.strip() for cell in row) for row in cells)
    except (UnicodeDecodeError, csv.Error):
        return None


def _to_numpy(column: pa.ChunkedArray) -> NDArray[np.generic]:
    if pa.types.is_string(column.type):
        return np.array([cell or "" for cell in column.to_pylist()], np.str_)
    values: NDArray[np.generic] = column.to_numpy()
    return values
