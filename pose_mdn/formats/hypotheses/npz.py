"""Hypotheses files as `.npz`: every array under its key."""

from pathlib import Path

from pose_mdn.formats.hypotheses.columns import COLUMNS
from pose_mdn.formats.hypotheses.contents import OPTIONAL_FACTS, REQUIRED_FACTS, from_arrays, to_arrays
from pose_mdn.formats.npz_archive import read_npz, write_npz
from pose_mdn.poses.hypotheses import HypothesisSequence


def write(path: Path, sequence: HypothesisSequence) -> None:
    """Write an uncompressed archive."""
    write_npz(path, to_arrays(sequence))


def read(path: Path) -> HypothesisSequence:
    """Read an archive; raises `FormatError`."""
    required = [*(column.key for column in COLUMNS if not column.optional), *REQUIRED_FACTS]
    optional = [*(column.key for column in COLUMNS if column.optional), *OPTIONAL_FACTS]
    return from_arrays(path, read_npz(path, required=required, optional=optional))
