"""Motion formats by name, and reading a file of any of them."""

from functools import cache
from pathlib import Path

import pose_mdn.formats.motions as package
from pose_mdn.formats.faults import fault
from pose_mdn.formats.motions.motion_format import MotionFormat, ReadOptions, SourceMotion
from pose_mdn.formats.registry import described, discover, named


@cache
def motion_formats() -> dict[str, MotionFormat]:
    """Every format that can be read, by name: the `FORMAT` of each module of this package that has one."""
    return discover(package, MotionFormat)


def read_motions(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002 - it is the word that users look for
    options: ReadOptions | None = None,
) -> list[SourceMotion]:
    """Read the recordings of a file.

    Args:
        path: The file.
        format: Name of its format; found out from the file's name if `None`.
        options: What the file may leave open.

    Raises:
        FormatError: The file cannot be read as its format.
        InputError: No format has this name.
        MissingExtraError: The format needs a package that is not installed.
    """
    formats = motion_formats()
    if format is not None:
        return named(formats, format).read(path, options or ReadOptions())
    for entry in formats.values():
        if entry.matches(path):
            return entry.read(path, options or ReadOptions())
    raise fault(
        path,
        expected=f"one of: {described(formats)}",
        got="another file",
        cure="check it, or say which with --format",
    )
