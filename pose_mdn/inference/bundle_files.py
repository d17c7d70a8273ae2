"""The files of a bundle: read once, within bounds, and compared with their checksums."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pose_mdn.errors import BundleError

SUMS_FILE = "SHA256SUMS"

MAX_TEXT_BYTES = 1024 * 1024
"""Longest config and longest list of checksums."""
MAX_FILE_BYTES = 1024**3
"""Largest of the other files."""

_SUMS_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


def read_sums(folder: Path) -> dict[str, str]:
    """Expected checksum of each file, by its name within the folder.

    Raises:
        BundleError: The list is missing or of another form.
    """
    sums = {}
    for line in read_text(folder, SUMS_FILE).splitlines():
        if not line.strip():
            continue
        match = _SUMS_LINE.fullmatch(line)
        if match is None:
            raise BundleError(f"{folder}: expected lines of '<sha256>  <file>' in {SUMS_FILE}, got {line[:80]!r}")
        sums[match[2]] = match[1].lower()
    return sums


def read_verified(folder: Path, name: str, sums: Mapping[str, str]) -> bytes:
    """The bytes of a file, read once, if they are those that the checksum describes.

    Raises:
        BundleError: The file is not listed, altered, unreadable, too large, or outside of the folder.
    """
    if name not in sums:
        raise BundleError(f"{folder}: expected {SUMS_FILE} to list {name}, got only {', '.join(sums)}")
    _refuse_outside(folder, name)
    try:
        content = read_bounded(folder / name, MAX_FILE_BYTES)
    except OSError as error:
        raise BundleError(f"{folder}: {SUMS_FILE} lists {name}, which cannot be read: {error.strerror}") from error
    found, expected = hashlib.sha256(content).hexdigest(), sums[name]
    if found != expected:
        raise BundleError(
            f"{folder}: {name} is not the file that {SUMS_FILE} describes (expected sha256 {expected[:12]}..., "
            f"got {found[:12]}...); restore it"
        )
    return content


def read_text(folder: Path, name: str) -> str:
    """A short text file.

    Raises:
        BundleError: It cannot be read, is no text or no short one.
    """
    try:
        return read_bounded(folder / name, MAX_TEXT_BYTES).decode("utf-8")
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BundleError(f"{folder}: {name} is not text: {error.reason}") from error


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: It cannot be read, is something else than a file, or is longer than the limit.
    """
    # Without O_NONBLOCK a pipe that somebody put here would be waited for.
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(number, "rb") as stream:
        facts = os.fstat(number)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "expected a file, got a folder or a device")
        if facts.st_size > limit:
            raise OSError(errno.EFBIG, f"expected at most {limit} bytes, got {facts.st_size}")
        # Should it grow meanwhile, it is not the file whose checksum is known.
        return stream.read(facts.st_size)


def _refuse_outside(folder: Path, name: str) -> None:
    relative = PurePosixPath(name)
    inside = not relative.is_absolute() and ".." not in relative.parts and "\0" not in name
    # `Path.resolve` raises for links in a circle; this leaves them to whoever opens the file.
    if not (inside and Path(os.path.realpath(folder / name)).is_relative_to(os.path.realpath(folder))):
        raise BundleError(
            f"{folder}: expected {SUMS_FILE} to name files of this folder, got {name!r}, which is outside"
        )
