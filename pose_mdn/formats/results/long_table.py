"""CSV tables with a row for each joint of each pose."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.results.result_format import METRES_PER_UNIT, Unit
from pose_mdn.poses.single import SinglePoses

_POSES_AT_ONCE = 4096
_WEIGHT_DECIMALS = 6
_MICROMETRES: dict[Unit, int] = {"m": 6, "cm": 4, "mm": 3}
"""Decimals that state a length to a micrometre."""


def write_table(path: Path, names: tuple[str, ...], chunks: Iterator[Mapping[str, Array]]) -> None:
    """Write columns, chunk by chunk, atomically; NaN becomes an empty cell.

    Args:
        path: Where to.
        names: Of the columns; the first line of the file.
        chunks: Columns by name. Text holds neither commas nor quotes.
    """
    import pyarrow as pa  # noqa: PLC0415 - it takes longer to import than all the rest
    from pyarrow import csv  # noqa: PLC0415

    options = csv.WriteOptions(include_header=False, quoting_style="none")
    with replace_atomically(path) as stream:
        stream.write(",".join(names).encode() + b"\n")
        for chunk in chunks:
            # from_pandas: NaN counts as null.
            columns = [pa.array(chunk[name], from_pandas=True) for name in names]
            csv.write_csv(pa.table(columns, names=list(names)), stream, write_options=options)


def chunked(poses: SinglePoses) -> Iterator[slice]:
    """Rows to be written at once, so that memory stays bounded."""
    for start in range(0, len(poses), _POSES_AT_ONCE):
        yield slice(start, start + _POSES_AT_ONCE)


def keys_of(poses: SinglePoses, rows: slice) -> dict[str, Array]:
    """What all long tables have: for each joint of each pose its frame, person, name, weight and status."""
    joints = np.array(poses.joint_names)
    count = len(poses.frame[rows])
    return {
        "frame": np.repeat(poses.frame[rows], len(joints)),
        "person": np.repeat(poses.person[rows], len(joints)),
        "joint": np.tile(joints, count),
        "weight": np.repeat(np.round(poses.weight[rows].astype(np.float64), _WEIGHT_DECIMALS), len(joints)),
        "status": np.repeat(poses.status[rows], len(joints)),
    }


def lengths_of(values_m: NDArray[np.float32], names: tuple[str, str, str], unit: Unit) -> dict[str, Array]:
    """(N, 17, 3) metres as three flat columns, to a micrometre."""
    values = values_m.reshape(-1, 3).astype(np.float64) / METRES_PER_UNIT[unit]
    # Adding zero makes a zero of a negative one.
    columns = np.round(values, _MICROMETRES[unit]) + 0.0
    return {name: columns[:, axis] for axis, name in enumerate(names)}
