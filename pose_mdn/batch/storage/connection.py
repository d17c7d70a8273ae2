"""Reaching a storage through fsspec, and saying in one line what went wrong there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pose_mdn.batch.storage.addresses import refuse_secrets
from pose_mdn.errors import InputError, MissingExtraError, PoseMDNError

FileSystem = Any
"""An `fsspec.AbstractFileSystem`; fsspec is optional and has no types."""

_MAX_REASON = 240


@contextmanager
def reached(url: str, wanted: str) -> Iterator[tuple[FileSystem, str]]:
    """The file system of an address, and the path in it; failures in the block become errors of one line.

    Args:
        url: An address with a scheme that fsspec knows.
        wanted: What is expected there, for the error: "a file that can be read".

    Raises:
        MissingExtraError: fsspec, or its part for this kind of storage, is not installed.
        InputError: The storage does not answer, refuses, or does not have it.
    """
    refuse_secrets(url)
    try:
        import fsspec  # noqa: PLC0415

        yield fsspec.core.url_to_fs(url)
    except PoseMDNError:
        raise
    except ImportError as error:
        raise MissingExtraError(
            f"{url}: expected fsspec and its part for this storage, got {_reason(error)!r}; "
            "install it: pip install 'pose-mdn[cloud]', for other storages than S3 also their package"
        ) from error
    except Exception as error:  # Each storage's library has errors of its own, and no common class.
        raise InputError(
            f"{url}: expected {wanted}, got {_reason(error)!r}; check the address, the network and your credentials",
            field="path",
        ) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_REASON]
