"""Files between this machine and a storage: sources fetched into temporary files, results published atomically."""

import posixpath
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pose_mdn.batch.storage.addresses import beside, is_url, local_path, name_of
from pose_mdn.batch.storage.connection import FileSystem, reached
from pose_mdn.errors import InputError, PoseMDNError

_WHOLE_PUTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "memory"})
"""Storages in which an upload is seen when it is complete, or not at all; in others a renaming makes it so."""


@contextmanager
def fetched(source: str) -> Iterator[Path]:
    """A path to read a source from: itself if it is local, else a temporary copy under the same name.

    Of a folder, the files in it are copied, not those in folders below. Errors of the block that name the copy are
    changed to name the source.

    Raises:
        InputError: The storage does not have it, or does not let us read it.
        MissingExtraError: A package for this storage is not installed.
    """
    if not is_url(source):
        yield Path(local_path(source))
        return
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        copy = Path(folder) / _local_name(name_of(source))
        with reached(source, "a file that can be read") as (system, path):
            _download(system, path, copy)
        try:
            yield copy
        except PoseMDNError as error:
            error.args = tuple(_told(part, copy, source) for part in error.args)
            raise


@contextmanager
def staged(target: str) -> Iterator[Path]:
    """A path to write a result to: the target itself if it is local, else one in a temporary folder.

    When the block ends without error, all files that it left in that folder are published beside the target, the
    target last, so that who sees it sees all of them.

    Raises:
        InputError: The storage cannot be written to.
        MissingExtraError: A package for this storage is not installed.
    """
    if not is_url(target):
        yield Path(local_path(target))
        return
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        copy = Path(folder) / _local_name(name_of(target))
        yield copy
        for path in sorted(Path(folder).iterdir(), key=lambda path: (path == copy, path.name)):
            publish(path, beside(target, path.name))


def publish(local: Path, target: str) -> None:
    """Upload a file so that it is seen whole or not at all; what was there is replaced.

    Args:
        local: The file.
        target: An address.

    Raises:
        InputError: The storage cannot be written to.
        MissingExtraError: A package for this storage is not installed.
    """
    with reached(target, "a place that can be written to") as (system, path):
        if target.partition("://")[0] in _WHOLE_PUTS:
            system.put_file(str(local), path)
            return
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/.{name[:64]}.{secrets.token_hex(4)}.tmp"
        system.makedirs(folder, exist_ok=True)
        try:
            system.put_file(str(local), temporary)
            system.mv(temporary, path)
        except BaseException:
            with suppress(Exception):
                system.rm_file(temporary)
            raise


def _download(system: FileSystem, path: str, copy: Path) -> None:
    system.invalidate_cache()
    if not system.isdir(path):
        system.get_file(path, str(copy))
        return
    copy.mkdir()
    entries = system.ls(path, detail=True)
    files = [entry["name"] for entry in entries if entry["type"] != "directory" and entry["name"].rstrip("/") != path]
    names = [_local_name(posixpath.basename(name)) for name in files]
    # All at once: a storage answers many small questions slowly one after another.
    system.get(files, [str(copy / name) for name in names])


def _local_name(name: str) -> str:
    """A name out of a storage, where names are any text, as one of a file here."""
    if name in {"", ".", ".."} or Path(name).name != name or "\0" in name:
        raise InputError(f"{name!r}: expected the name of a file, got one that no file can have here", field="path")
    return name


def _told(part: object, copy: Path, source: str) -> object:
    return part.replace(str(copy), source) if isinstance(part, str) else part
