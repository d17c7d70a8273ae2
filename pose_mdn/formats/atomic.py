"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pose_mdn.errors import InputError


@contextmanager
def replace_atomically(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` for writing; it takes the name `path` when the block ends without error.

    Readers see the old file or the new one, never a part; after an error nothing is left behind.

    Args:
        path: The file.
        durable: Whether to wait until the disk has it, so that it is whole even after a loss of power. What can be made
            again at any time need not wait.

    Raises:
        InputError: The place cannot be written to.
    """
    # The same folder, because a rename is atomic only within one file system.
    temporary = path.with_name(f".{path.name[:64]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("x+b") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"{path}: expected a place that can be written to, got {reason!r}; create its folder or choose another",
            field="path",
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


class WriteBehind:
    """Brings a growing file to the disk while it is written, so that little is left to wait for at its end."""

    def __init__(self, stream: BinaryIO) -> None:
        """Prepare for a file that is open for writing, and stays so until this is left."""
        self._stream = stream
        self._pool = ThreadPoolExecutor(1, "disk")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if self._under_way is not None and _error is None:
            self._under_way.result()

    def advance(self) -> None:
        """Begin with what has been written so far, unless the disk is still busy with what was before.

        Raises:
            OSError: The disk could not take what was before.
        """
        if self._under_way is not None:
            if not self._under_way.done():
                return
            self._under_way.result()
        self._stream.flush()
        self._under_way = self._pool.submit(os.fsync, self._stream.fileno())
