"""Reading keypoints tables, whole or piece by piece."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.keypoint_format import ReadOptions
from pose_mdn.formats.keypoints.missing import mark_missing, refuse_normalized
from pose_mdn.formats.keypoints.people_count import PeopleCount
from pose_mdn.formats.keypoints.row_pieces import regroup
from pose_mdn.formats.keypoints.tables.parquet_columns import whole_numbers
from pose_mdn.formats.keypoints.tables.parquet_table import KeypointTable, describe_table, frames_of
from pose_mdn.formats.npz_archive import check_expansion
from pose_mdn.poses.keypoints import KeypointSequence

_ROWS_PER_BATCH = 16_384
_READ_AHEAD_BYTES = 2**20
"""Per column. Without it, the whole column of a row group is held in memory."""
_ROWS_TO_JUDGE = 4_096


@dataclass(frozen=True, kw_only=True)
class ParquetKeypoints:
    """A keypoints table, opened to be read piece by piece; it holds no open file and can be pickled.

    Attributes:
        table: What its columns hold.
        num_rows: N.
    """

    table: KeypointTable
    num_rows: int

    def nobody(self) -> KeypointSequence:
        """No rows, with everything that describes the whole file."""
        return self.table.nobody()

    def chunks(self, rows: int, *, start: int = 0, stop: int | None = None) -> Iterator[KeypointSequence]:
        """Rows `start` to `stop` in order, `rows` at a time; the last piece may be shorter.

        Memory grows with `rows`, not with the file nor with its row groups. Whole row groups before `start` are
        skipped; rows of the same group before it are decoded and dropped.

        Raises:
            FormatError: The file is damaged, or holds something else than it said.
        """
        end = self.num_rows if stop is None else min(stop, self.num_rows)
        return regroup(self._pieces(max(start, 0), end), max(rows, 1))

    def _pieces(self, start: int, stop: int) -> Iterator[KeypointSequence]:
        table = self.table
        with _opened(table.path) as file:
            counts = PeopleCount(before=_rows_of_this_frame(table, file, min(start, stop)))
            for first_row, batch in _batches(table.path, file, table.columns, start, stop):
                frame = frames_of(table, batch, first_row)
                if "person" in table.columns:
                    person = whole_numbers(table.path, "person", batch.column("person"))
                else:
                    person = counts.number(frame)
                yield table.rows(batch, frame=frame, person=person)


def _rows_of_this_frame(table: KeypointTable, file: pq.ParquetFile, start: int) -> NDArray[np.int64]:
    """The frame numbers directly before row `start` that are all the same."""
    same = np.zeros(0, np.int64)
    if start == 0 or "frame" not in table.columns or "person" in table.columns:
        return same
    for first_row, batch in _batches(table.path, file, ("frame",), 0, start):
        same = np.concatenate([same, frames_of(table, batch, first_row)])
        changes = np.flatnonzero(np.diff(same))
        same = same[changes[-1] + 1 :] if len(changes) else same
    return same


def open_stream(path: Path, options: ReadOptions) -> ParquetKeypoints:
    """Open a keypoints table.

    The first rows in which anything was seen decide whether coordinates are pixels and confidences at most 1.

    Raises:
        FormatError: The file cannot be read, is damaged, or is no keypoints table.
    """
    with _opened(path) as file:
        rows = int(file.metadata.num_rows)

        def sample(columns: Sequence[str]) -> pa.RecordBatch | None:
            batches = _batches(path, file, columns, 0, min(rows, _ROWS_TO_JUDGE), size=_ROWS_TO_JUDGE)
            return next((batch for _, batch in batches), None)

        table = describe_table(path, file.schema_arrow, options, sample)
        columns = [name for name in table.columns if name not in {"frame", "person", "intrinsics"}]
        for _, batch in _batches(path, file, columns, 0, rows, size=_ROWS_TO_JUDGE):
            keypoints_px, confidence = mark_missing(path, *table.raw_joints(batch))
            if confidence.any():
                refuse_normalized(path, keypoints_px)
                break
    return ParquetKeypoints(table=table, num_rows=rows)


def read(path: Path, options: ReadOptions) -> KeypointSequence:
    """Read a whole keypoints table.

    Raises:
        FormatError: The file cannot be read, is damaged, or is no keypoints table.
    """
    stream = open_stream(path, options)
    check_expansion(path, stream.num_rows * stream.table.skeleton.num_joints * 12)
    pieces = list(stream.chunks(_ROWS_PER_BATCH))
    return KeypointSequence.concatenate(pieces) if pieces else stream.table.nobody()


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """A file to read from; whatever the library says of damage becomes a `FormatError`."""
    try:
        with path.open("rb") as stream:
            # Buffering ahead would hold all row groups at once.
            yield pq.ParquetFile(
                stream, buffer_size=_READ_AHEAD_BYTES, pre_buffer=False, page_checksum_verification=True
            )
    except FormatError:
        raise
    except OSError as error:
        # The library raises it for damage too, then without a number.
        raise (unreadable(path, error) if error.errno is not None else _damaged(path, error)) from error
    except (
        pa.ArrowException,
        ArithmeticError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise _damaged(path, error) from error


def _batches(
    path: Path, file: pq.ParquetFile, columns: Iterable[str], start: int, stop: int, *, size: int = _ROWS_PER_BATCH
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Rows `start` to `stop` of some columns, with the number of each batch's first row."""
    if start >= stop:
        return
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    ends = np.cumsum(sizes) if sizes else np.zeros(0, np.int64)
    groups = [group for group, end in enumerate(ends) if end > start and end - sizes[group] < stop]
    row = int(ends[groups[0]]) - sizes[groups[0]] if groups else 0
    for batch in file.iter_batches(size, row_groups=groups, columns=list(columns), use_threads=False):
        first, last = max(start - row, 0), min(stop - row, len(batch))
        if first < last:
            yield row + first, batch.slice(first, last - first)
        row += len(batch)
        if row >= stop:
            return
    raise fault(path, expected=f"{stop} rows", got=f"{row}", cure="write the file again")


def _damaged(path: Path, error: Exception) -> FormatError:
    got = f"a damaged, truncated or other file ({str(error)[:120]!r})"
    return fault(path, expected="a whole Parquet file", got=got, cure="write it again")
