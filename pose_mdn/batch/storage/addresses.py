"""Addresses as texts: which are local paths, and how their parts are named."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pose_mdn.errors import InputError

# Two letters at least, so that Windows' drives are no schemes.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FILE = "file://"


def is_url(address: str | os.PathLike[str]) -> bool:
    """Whether this is an address for fsspec, such as `s3://bucket/key`, and no path of this machine."""
    text = os.fspath(address)
    return _SCHEME.match(text) is not None and not text.startswith(_FILE)


def local_path(address: str | os.PathLike[str]) -> str:
    """The path that a `file://` address names; any other address or path as it is."""
    text = os.fspath(address)
    return unquote(urlsplit(text).path) if text.startswith(_FILE) else text


def join(folder: str, name: str) -> str:
    """The address of a file, named relative to a folder with `/` or the system's separator."""
    if is_url(folder):
        return f"{folder.rstrip('/')}/{Path(name).as_posix()}"
    return os.path.join(local_path(folder), name)


def name_of(address: str) -> str:
    """The last part of an address or path."""
    return address.rstrip("/").rpartition("/")[2] if is_url(address) else Path(local_path(address)).name


def parent_of(address: str) -> str:
    """The address without its last part."""
    return address.rstrip("/").rpartition("/")[0]


def beside(address: str, name: str) -> str:
    """The address of another file in the same folder."""
    if is_url(address):
        return f"{parent_of(address)}/{name}"
    return str(Path(local_path(address)).with_name(name))


def refuse_secrets(address: str) -> None:
    """Refuse an address that holds a password, or is a chain of several.

    Addresses are printed, and written into the manifest.

    Raises:
        InputError: It holds one.
    """
    if not is_url(address):
        return
    if urlsplit(address).password is not None:
        shown = re.sub(r"//[^@/]*@", "//...@", address)
        raise InputError(
            f"{shown}: expected an address without a password, because addresses are printed and kept, got one; "
            "put it into the configuration of fsspec or of the storage's own tools",
            field="path",
        )
    if "::" in address:
        raise InputError(
            f"{address}: expected one address, got a chain with '::'; name the file or folder itself", field="path"
        )
