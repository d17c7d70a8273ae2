"""What a motion format is, and what it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault


@dataclass(frozen=True, kw_only=True)
class SourceMotion:
    """One recording as its file gives it, before joints, units and axes are settled.

    Attributes:
        trial: What the recording is called.
        joint_names: Names of the J joints or markers.
        positions: (T, J, 3) in the file's unit and axes; NaN where missing.
        fps: Frames per second.
        metres_per_unit: The file's unit, if the file says it.
        up: The axis that points up, if the format settles it: "x", "-x", "y", "-y", "z" or "-z".
        usual_up: The axis that usually points up in this format, for recordings in which nobody stands.
        rest_positions: (J, 3) the skeleton's rest pose, which nearly always stands upright; `None` if there is none.
        subject: Who moved, if the file says it.
        action: What they did, if the file says it.
    """

    trial: str
    joint_names: tuple[str, ...]
    positions: NDArray[np.float64]
    fps: float
    metres_per_unit: float | None = None
    up: str | None = None
    usual_up: str = "y"
    rest_positions: NDArray[np.float64] | None = None
    subject: str | None = None
    action: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a file may leave open.

    Attributes:
        skeleton: The skeleton file of a motion file that has none inside (`.asf` of an `.amc`).
        fps: Frames per second, for files that do not say it or say it wrongly.
    """

    skeleton: Path | None = None
    fps: float | None = None


@dataclass(frozen=True, kw_only=True)
class MotionFormat:
    """A file format that motions come in.

    A new one is a module in this package that names an instance `FORMAT`; the registry finds it.

    Attributes:
        name: What users pass as `--format`.
        description: What a file of this format is, in a few words.
        suffix: With the dot, lower case; of the files to take from a folder.
        matches: Whether a file looks like this format. Looks at the name and the first bytes only and never raises.
        read: Reads a file. Raises `FormatError`.
    """

    name: str
    description: str
    suffix: str
    matches: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], list[SourceMotion]]


def line_fault(path: Path, line: int, *, expected: str, got: str, cure: str) -> FormatError:
    """An error about one line of a text file, counted from 1."""
    return fault(path, expected=f"(line {line}) {expected}", got=got, cure=cure)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in any of the encodings that old tools write.

    Raises:
        FormatError: It cannot be read, or holds zeros as only binary files do.
    """
    content = file_bytes(path)
    if b"\0" in content:
        raise fault(path, expected="a text file", got="binary data", cure="check that it is the right file")
    return content.decode("utf-8-sig", errors="replace").splitlines()


def file_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        FormatError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise fault(path, expected="a readable file", got=repr(reason), cure="check path and permissions") from error


def to_numbers(path: Path, line: int, words: list[str], count: int, what: str) -> list[float]:
    """Exactly `count` numbers of a line.

    Raises:
        FormatError: There are more or fewer, or one is no number.
    """
    cure = "mend the line or export the file again"
    if len(words) != count:
        raise line_fault(path, line, expected=f"{count} numbers for {what}", got=str(len(words)), cure=cure)
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise line_fault(path, line, expected=f"numbers for {what}", got=str(error), cure=cure) from error
