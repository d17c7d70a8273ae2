"""NPZ archives from strangers: no pickles, and no memory for what the file merely claims to hold."""

import difflib
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pose_mdn.errors import FormatError
from pose_mdn.formats.atomic import replace_atomically
from pose_mdn.formats.faults import fault, shown, unreadable

Array = NDArray[np.generic]

EXPANSION_LIMIT = 64
"""How many times its own size a file may unpack to. Real keypoints hardly compress (below 4)."""
EXPANSION_FLOOR = 64 * 2**20
"""Bytes to which even a tiny file may unpack."""

_CHUNK = 2**20
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# What zipfile, zlib and the array header's parser raise on damaged bytes.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def read_npz(path: Path, *, required: Collection[str], optional: Collection[str]) -> dict[str, Array]:
    """Read the known arrays of an archive; keys not asked for are left alone.

    Returns:
        Key -> array of numbers, booleans or text, for all of `required` and those of `optional` that are there.

    Raises:
        FormatError: The file cannot be read, is damaged, lacks a required key, has a key that looks like a misspelling
            of a known one, holds objects, or unpacks to much more than its own size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            _check_keys(path, members, required, optional)
            wanted = {key: members[key] for key in (*required, *optional) if key in members}
            check_expansion(path, sum(info.file_size for info in wanted.values()))
            return {key: _read_member(path, archive, key, info) for key, info in wanted.items()}
    except FormatError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    except _DAMAGE as error:
        raise fault(
            path,
            expected="a whole .npz archive",
            got=f"a damaged, truncated or other file ({shown(str(error))})",
            cure="write it again with numpy.savez",
        ) from error


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays as an uncompressed archive, atomically."""
    with replace_atomically(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for key, array in arrays.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)


def check_expansion(path: Path, unpacked_bytes: int) -> None:
    """Refuse a file that claims to hold far more than its own size, before memory is taken for it.

    Raises:
        FormatError: The claim is above `EXPANSION_FLOOR` and above `EXPANSION_LIMIT` times the file's size.
    """
    file_bytes = path.stat().st_size
    limit = max(EXPANSION_FLOOR, EXPANSION_LIMIT * file_bytes)
    if unpacked_bytes > limit:
        raise fault(
            path,
            expected=f"a file of {file_bytes} bytes to unpack to at most {limit} bytes",
            got=f"a claim of {unpacked_bytes}",
            cure="if the file is honest, write it without compression",
        )


def _check_keys(path: Path, present: Collection[str], required: Collection[str], optional: Collection[str]) -> None:
    known = [*required, *optional]
    for key in sorted(set(present) - set(known)):
        # Strict enough to let "keypoints_3d" pass and to catch "confidences".
        for meant in difflib.get_close_matches(key[:64], set(known) - set(present), n=1, cutoff=0.88):
            raise fault(path, expected=f"the key {meant!r}", got=f"{key!r}", cure=f"rename it to {meant!r}")
    missing = [key for key in required if key not in present]
    if missing:
        raise fault(
            path,
            expected=f"the key {missing[0]!r}",
            got=f"only {shown(sorted(present))}",
            cure="add it (docs/formats.md lists the keys)",
        )


def _read_member(path: Path, archive: zipfile.ZipFile, key: str, info: zipfile.ZipInfo) -> Array:
    """One array; its bytes must be exactly as many as its header says and as the archive's directory says."""
    with archive.open(info) as stream:
        version = npy.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"array format {version}")
        shape, fortran_order, dtype = _HEADERS[version](stream)
        if dtype.kind not in "fiubUS":
            raise fault(
                path,
                expected=f"numbers or text in {key!r}",
                got=f"dtype {dtype}",
                cure="save plain arrays (no object arrays, which would need pickle)",
            )
        claimed = dtype.itemsize * math.prod(shape)
        stored = info.file_size - stream.tell()
        if claimed != stored or min(shape, default=0) < 0:
            raise fault(
                path,
                expected=f"{claimed} bytes for {key!r} of shape {shape}",
                got=f"{stored}",
                cure="write the file again",
            )
        buffer = bytearray(claimed)
        for start in range(0, claimed, _CHUNK):
            chunk = stream.read(min(_CHUNK, claimed - start))
            buffer[start : start + len(chunk)] = chunk
            if len(chunk) != min(_CHUNK, claimed - start):
                raise EOFError(f"{key!r} ends early")
    array: Array = np.ndarray(shape, dtype, buffer=buffer, order="F" if fortran_order else "C")
    if dtype.kind == "U" and array.size and _invalid_text(array):
        raise ValueError(f"{key!r} is not text")
    return array


def _invalid_text(array: Array) -> bool:
    """Whether any code point lies outside Unicode; merely reading such an element would raise."""
    codes = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False).view(np.uint32)
    return bool(((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any())
