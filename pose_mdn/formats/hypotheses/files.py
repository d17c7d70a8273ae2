"""Reading and writing hypotheses files by suffix."""

import importlib
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pose_mdn.errors import InputError
from pose_mdn.formats.faults import fault
from pose_mdn.poses.hypotheses import HypothesisSequence


class HypothesesFormat(Protocol):
    """What the module of a hypotheses format offers."""

    def write(self, path: Path, sequence: HypothesisSequence) -> None:
        """Write a file atomically."""

    def read(self, path: Path) -> HypothesisSequence:
        """Read a file; raises `FormatError`."""


_MODULES = {
    ".npz": "pose_mdn.formats.hypotheses.npz",
    ".parquet": "pose_mdn.formats.hypotheses.parquet",
    ".jsonl": "pose_mdn.formats.hypotheses.jsonl",
}

HYPOTHESES_SUFFIXES = tuple(_MODULES)
"""Endings of files that hold all hypotheses and can be read back."""


def write_hypotheses(path: str | os.PathLike[str], sequence: HypothesisSequence) -> None:
    """Write a hypotheses file; it appears whole or not at all.

    Args:
        path: Where to; the suffix, `.npz`, `.parquet` or `.jsonl`, is the format.
        sequence: What to write.

    Raises:
        InputError: Another suffix, a place that cannot be written to, or arrays that do not fit each other.
    """
    path = Path(path)
    if path.suffix not in _MODULES:
        raise InputError(
            f"{path}: expected a name that ends in {', '.join(_MODULES)}, got {path.suffix!r}; rename it",
            field="path",
        )
    _module(path.suffix).write(path, sequence)


def read_hypotheses(path: str | os.PathLike[str]) -> HypothesisSequence:
    """Read a hypotheses file of any of these suffixes.

    Raises:
        FormatError: The file cannot be read as its suffix says; one line says what was expected and what came.
    """
    path = Path(path)
    if path.suffix not in _MODULES:
        raise fault(
            path,
            expected=f"a hypotheses file that ends in {', '.join(_MODULES)}",
            got=repr(path.suffix),
            cure="check the path",
        )
    return _module(path.suffix).read(path)


def holds_hypotheses(path: Path) -> bool:
    """Whether a file, by its ending and the names of what is in it, is a hypotheses file, or a damaged one.

    A hypotheses `.npz` is also a keypoints file; this tells it from those that are nothing else.
    """
    suffix = path.suffix
    if suffix not in _MODULES or not path.is_file():
        return False
    if suffix == ".jsonl":
        return True
    try:
        if suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                return "means.npy" in archive.namelist()
        import pyarrow.parquet as pq  # noqa: PLC0415 - it takes longer to import than all the rest

        return "means" in pq.read_schema(path).names
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, struct.error, zipfile.BadZipFile):
        return False


def read_hypotheses_parts(path: str | os.PathLike[str], rows: int) -> Iterator[HypothesisSequence]:
    """Read a hypotheses file in pieces of at most so many rows, in order; a file without rows may have no piece.

    Of a Parquet file no more than a piece is in memory; of the others, all rows.

    Raises:
        FormatError: As `read_hypotheses` does, when the piece comes that cannot be read.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        from pose_mdn.formats.hypotheses.parquet import read_parts  # noqa: PLC0415

        yield from read_parts(path, rows)
        return
    sequence = read_hypotheses(path)
    for start in range(0, len(sequence), rows):
        yield sequence.take(slice(start, start + rows)) if len(sequence) > rows else sequence


def _module(suffix: str) -> HypothesesFormat:
    # Imported when used, because pyarrow takes longer to import than all the rest.
    module: HypothesesFormat = importlib.import_module(_MODULES[suffix])
    return module
