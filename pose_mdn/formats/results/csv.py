"""Results as a CSV table that spreadsheets, R and pandas open: a row for each joint of each pose."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.results.long_table import chunked, keys_of, lengths_of, write_table
from pose_mdn.formats.results.result_format import ResultFormat
from pose_mdn.poses.single import SinglePoses

COLUMNS = (
    "frame",
    "time_s",
    "person",
    "joint",
    "x_m",
    "y_m",
    "z_m",
    "std_x_m",
    "std_y_m",
    "std_z_m",
    "weight",
    "status",
)


def _write(path: Path, poses: SinglePoses) -> tuple[Path, ...]:
    write_table(path, COLUMNS, _chunks(poses))
    return (path,)


def _chunks(poses: SinglePoses) -> Iterator[dict[str, Array]]:
    for rows in chunked(poses):
        columns = keys_of(poses, rows)
        columns["time_s"] = np.repeat(np.round(poses.frame[rows] / (poses.fps or np.nan), 6), len(poses.joint_names))
        columns |= lengths_of(poses.positions_m[rows], ("x_m", "y_m", "z_m"), "m")
        columns |= lengths_of(poses.std_m[rows], ("std_x_m", "std_y_m", "std_z_m"), "m")
        yield columns


FORMAT = ResultFormat(
    name="csv",
    description="a long table for spreadsheets, R and pandas: a row per joint, with its standard deviations",
    suffix=".csv",
    write_poses=_write,
    states_uncertainty=True,
)
"""A tidy table."""
