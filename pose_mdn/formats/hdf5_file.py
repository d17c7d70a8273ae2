"""What is in an HDF5 file, read in another process, because damaged files can crash the library."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from numpy.lib import format as npy

from pose_mdn.errors import MissingExtraError
from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.faults import fault, unreadable

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_NEAR = 2**22
"""Bytes. Where the library puts the names of a file's parts depends on its size."""
_PATIENCE_S, _BYTES_PER_S = 60.0, 1e7
"""How long a file may keep its reader busy, and how much longer for its size. Damaged ones can do so for ever."""
_READER = Path(__file__).with_name("hdf5_process.py")
_CURE = "write it again"


def read_hdf5(path: Path) -> Mapping[str, Array]:
    """Every array of numbers or text in a file.

    Returns:
        Path in the file -> array; a table's columns as path/column, attributes as path@name. Links to other files are
        not followed, and nothing is unpickled.

    Raises:
        FormatError: The file cannot be read, is damaged, or unpacks to much more than its own size.
        MissingExtraError: h5py is not installed.
    """
    _check_signature(path)
    if find_spec("h5py") is None:
        raise MissingExtraError(
            "reading HDF5 needs h5py, which is not installed; install it with: pip install 'pose-mdn[h5]'"
        )
    with tempfile.TemporaryDirectory(prefix="pose-mdn-") as folder:
        result = Path(folder) / "arrays.zip"
        patience_s = _PATIENCE_S + path.stat().st_size / _BYTES_PER_S
        command = [sys.executable, "-P", str(_READER), str(path.absolute()), str(result)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=patience_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            got = f"one that keeps the reader busy for {patience_s:.0f} s"
            raise fault(path, expected="a whole HDF5 file", got=got, cure=_CURE) from error
        if done.returncode:
            reason = done.stderr.strip().rpartition("\n")[2][:200] or f"a crash of its reader ({done.returncode})"
            raise fault(path, expected="a whole HDF5 file", got=reason, cure=_CURE)
        with zipfile.ZipFile(result) as archive:
            paths = archive.read("paths.txt").decode("utf-8", "replace").split("\n")
            return {name: _array(archive, number) for number, name in enumerate(paths) if name}


def mentions(path: Path, word: bytes) -> bool:
    """Whether a file is HDF5 and a name such as `word` stands near its beginning or end; never raises."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_NEAR)
            if not start.startswith(SIGNATURE) or word in start:
                return start.startswith(SIGNATURE)
            stream.seek(max(_NEAR, path.stat().st_size - _NEAR))
            return word in stream.read(_NEAR)
    except OSError:
        return False


def to_texts(array: Array) -> list[str]:
    """Text of any kind as plain strings."""
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in array.ravel().tolist()
    ]


def to_attribute(arrays: Mapping[str, Array], key: str) -> str:
    """One text attribute; empty if there is none."""
    return to_texts(arrays[key])[0] if key in arrays and arrays[key].size == 1 else ""


def _array(archive: zipfile.ZipFile, number: int) -> Array:
    with archive.open(f"{number}.npy") as member:
        array: Array = npy.read_array(member, allow_pickle=False)
    return array


def _check_signature(path: Path) -> None:
    try:
        with path.open("rb") as stream:
            start = stream.read(len(SIGNATURE))
    except OSError as error:
        raise unreadable(path, error) from error
    if start != SIGNATURE:
        raise fault(path, expected="an HDF5 file", got="other bytes", cure="check what wrote it")
