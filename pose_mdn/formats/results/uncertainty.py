"""Standard deviations beside a file that has no place for them."""

from collections.abc import Iterator
from pathlib import Path

from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.results.long_table import chunked, keys_of, lengths_of, write_table
from pose_mdn.formats.results.result_format import Unit
from pose_mdn.poses.single import SinglePoses

ENDING = ".uncertainty.csv"
"""Added to the whole name of the file that it belongs to, since two formats may share a stem."""


def write_uncertainty(
    path: Path, poses: SinglePoses, *, axes: tuple[str, str, str] = ("x", "y", "z"), unit: Unit = "m"
) -> Path:
    """Write the standard deviations of each joint, relative to the pelvis, along the axes of another file.

    Args:
        path: The other file, of the same poses.
        poses: N rows; all are written, with empty cells where there is no pose.
        axes: Along which axis of the camera the file's x, y and z are; a sign before one makes no difference here.
        unit: Of lengths in the file.

    Returns:
        The file written, `walk.trc.uncertainty.csv`.

    Raises:
        InputError: The place cannot be written to.
    """
    target = path.with_name(path.name + ENDING)
    lengths = (f"std_x_{unit}", f"std_y_{unit}", f"std_z_{unit}")
    order = ["xyz".index(axis[-1]) for axis in axes]

    def chunks() -> Iterator[dict[str, Array]]:
        for rows in chunked(poses):
            yield {**keys_of(poses, rows), **lengths_of(poses.std_m[rows][..., order], lengths, unit)}

    write_table(target, ("frame", "person", "joint", *lengths, "weight", "status"), chunks())
    return target
