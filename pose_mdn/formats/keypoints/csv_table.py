"""CSV files: a few rows of headers, then columns of numbers."""

import csv
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.frame_files import frame_number

if TYPE_CHECKING:
    import pyarrow as pa

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

    def columns(
        self, header_rows: int, *, numbers: Collection[int], text: Collection[int] = ()
    ) -> dict[int, NDArray[np.generic]]:
        """Some columns below the headers by their places: float64, NaN for empty cells, and text where asked.

        Raises:
            FormatError: Rows of different lengths, or a cell that is no number.
        """
        # Imported when used, because it takes longer to import than all the rest.
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.csv as arrow_csv  # noqa: PLC0415

        count = max((len(row) for row in self.head[:header_rows]), default=0)
        names = [f"c{place}" for place in range(count)]
        wanted = [*numbers, *text]
        types = {names[place]: pa.string() if place in text else pa.float64() for place in wanted}
        if len(self.content.split(b"\n", header_rows)) <= header_rows or not wanted:
            return {place: np.zeros(0, np.str_ if place in text else np.float64) for place in wanted}
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(self.content),
                read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=header_rows, use_threads=False),
                parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=types, include_columns=list(types), null_values=_NOTHING
                ),
            )
        except (pa.ArrowException, ValueError, MemoryError) as error:
            got = f"this: {str(error)[:160]}"
            cure = "write the file again"
            raise fault(self.path, expected=f"rows of {count} numbers", got=got, cure=cure) from error
        return {place: _to_numpy(table.column(names[place])) for place in wanted}


def label_numbers(labels: NDArray[np.generic]) -> NDArray[np.int64]:
    """(N,) frame numbers of the rows' labels; equal labels have equal numbers.

    Whole numbers are kept, of pictures' names the last number is; if these do not tell the labels apart, labels are
    counted in order of appearance.
    """
    try:
        values = labels.astype(np.float64)
    except ValueError:
        values = np.full(len(labels), np.nan)
    if np.isfinite(values).all() and (np.abs(values) < 2**53).all() and (np.rint(values) == values).all():
        return values.astype(np.int64)
    texts = [str(label) for label in labels.tolist()]
    distinct = list(dict.fromkeys(texts))
    numbers = [frame_number(text.rpartition("/")[2]) for text in distinct]
    known = [number for number in numbers if number is not None]
    number_of = dict(zip(distinct, known if len(set(known)) == len(distinct) else range(len(distinct)), strict=True))
    return np.array([number_of[text] for text in texts], np.int64)


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


def _to_numpy(column: "pa.ChunkedArray") -> NDArray[np.generic]:
    if str(column.type) == "string":
        return np.array([cell or "" for cell in column.to_pylist()], np.str_)
    values: NDArray[np.generic] = column.to_numpy()
    return values
