"""Motion formats by name, and reading a file of any of them."""

import difflib
import importlib
import pkgutil
from functools import cache
from pathlib import Path

import pose_mdn.formats.motions as package
from pose_mdn.errors import InputError
from pose_mdn.formats.faults import fault
from pose_mdn.formats.motions.motion_format import MotionFormat, ReadOptions, SourceMotion


@cache
def motion_formats() -> dict[str, MotionFormat]:
    """Every format that can be read, by name: the `FORMAT` of each module of this package that has one."""
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    ]
    found = [getattr(module, "FORMAT", None) for module in modules]
    return {entry.name: entry for entry in found if isinstance(entry, MotionFormat)}


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
        if format not in formats:
            nearest = difflib.get_close_matches(format, formats, n=1)
            cure = f"did you mean {nearest[0]!r}?" if nearest else "use one of these"
            message = f"format: expected one of {', '.join(formats)}, got {format!r}; {cure}"
            raise InputError(message, field="format")
        return formats[format].read(path, options or ReadOptions())
    for entry in formats.values():
        if entry.matches(path):
            return entry.read(path, options or ReadOptions())
    known = "; ".join(f"{entry.name} ({entry.description})" for entry in formats.values())
    raise fault(path, expected=f"one of: {known}", got="another file", cure="check it, or say which with --format")
