"""Keypoints files written by their suffix."""

import os
from collections.abc import Callable
from pathlib import Path

from pose_mdn.errors import InputError
from pose_mdn.formats.keypoints import npz
from pose_mdn.poses.keypoints import KeypointSequence


def _write_table(path: Path, sequence: KeypointSequence) -> None:
    # Imported when used, because pyarrow takes longer to import than all the rest.
    from pose_mdn.formats.keypoints.tables import parquet_writer  # noqa: PLC0415

    parquet_writer.write(path, sequence)


_WRITERS: dict[str, Callable[[Path, KeypointSequence], None]] = {".npz": npz.write, ".parquet": _write_table}


def write_keypoints(path: str | os.PathLike[str], sequence: KeypointSequence) -> None:
    """Write a keypoints file; the file appears whole or not at all.

    Args:
        path: Where to; must end in `.npz` or `.parquet`.
        sequence: What to write.

    Raises:
        InputError: Another suffix, or a place that cannot be written to.
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        known = " or ".join(_WRITERS)
        message = f"{path}: expected a name that ends in {known}, got {path.suffix!r}; rename it"
        raise InputError(message, field="path")
    _WRITERS[path.suffix](path, sequence)
