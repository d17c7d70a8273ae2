"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

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
