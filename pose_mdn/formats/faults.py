"""One way to say what is wrong with a file: which file, what was expected, what came, what to do."""

import reprlib
from pathlib import Path

from pose_mdn.errors import FormatError


def fault(path: Path, *, expected: str, got: str, cure: str) -> FormatError:
    """An error of one line about a file, ready to be raised."""
    return FormatError(" ".join(f"{path}: expected {expected}, got {got}; {cure}".split()))


def unreadable(path: Path, error: OSError) -> FormatError:
    """The error for a path that the operating system does not let us read."""
    reason = (error.strerror or str(error)).lower()
    return fault(
        path, expected="a readable file or folder", got=f"{reason!r}", cure="check the path and its permissions"
    )


def shown(value: object) -> str:
    """A short text of a value that came out of a file, safe to put in a message."""
    return reprlib.repr(value)
