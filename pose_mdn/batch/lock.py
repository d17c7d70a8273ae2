"""One run at a time in a folder of results."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pose_mdn.batch.job import STATE_FOLDER
from pose_mdn.errors import InputError

LOCK_FILE = "lock"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lock of a folder of results; the operating system lets go of it if the process dies.

    Raises:
        InputError: Another run holds it, or the folder cannot be written to.
    """
    folder = root / STATE_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / LOCK_FILE).open("a+", encoding="ascii")
    except OSError as error:
        reason = str(error.strerror or error).lower()
        raise InputError(f"{root}: expected a folder that can be written to, got {reason!r}", field="output") from error
    with stream:
        if not _take(stream):
            stream.seek(0)
            owner = stream.read(20).strip() or "unknown"
            raise InputError(
                f"{root}: expected a folder that no other run writes to, got one of process {owner}; wait for it, or "
                "choose another OUT",
                field="output",
            )
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _take(stream: IO[str]) -> bool:
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        return _take_on_windows(stream)
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _take_on_windows(stream: IO[str]) -> bool:
    import importlib  # noqa: PLC0415

    msvcrt = importlib.import_module("msvcrt")
    try:
        # A byte beyond the number of the process, which others shall be able to read.
        stream.seek(64)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
