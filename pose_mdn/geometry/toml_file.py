"""Reading TOML that people wrote by hand."""

import tomllib
from pathlib import Path
from typing import Any

from pose_mdn.errors import FormatError


def read_toml(path: Path, *, expected: str) -> dict[str, Any]:
    """The tables of a file.

    Args:
        path: The file.
        expected: What it should be, for the message: "a TOML calibration file".

    Raises:
        FormatError: The file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: expected {expected}, got something else: {error}") from error
