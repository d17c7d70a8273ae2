"""Pages of Parquet columns whose lists all have the same sizes.

Parquet keeps lists of lists as bare numbers with two levels for each: at which depth of lists the number begins a new
entry, and how deep its value lies. Where all sizes are fixed and nothing is null, the levels are the same for every
row, so they are encoded once, and the numbers go to the file as they lie in memory.

The format: https://parquet.apache.org/docs/file-format/
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import Array
from pose_mdn.formats.hypotheses.parquet_thrift import I32, struct, varint

try:
    # Several times as fast as zlib's, whose checksums would be the largest part of writing.
    from isal.isal_zlib import crc32
except ImportError:  # there are machines that it is not built for
    from zlib import crc32

PLAIN, RLE, RLE_DICTIONARY = 0, 3, 8
"""Encodings by the format's numbers."""

_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_BITS_PER_GROUP = 8


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page as it stands in the file.

    Attributes:
        parts: What to write, in order: the header, and then the content.
        size: Bytes in the file.
        unpacked_size: Bytes with the content uncompressed.
    """

    parts: tuple[bytes | memoryview, ...]
    size: int
    unpacked_size: int


def plain_page(array: Array, compress: Callable[[bytes], bytes] | None = None) -> Page:
    """A page of numbers, (N, *sizes), as they are.

    Args:
        array: Contiguous, of numbers that Parquet knows.
        compress: Packs the content, if it is to be packed.
    """
    levels, levels_crc = _levels(len(array), array.shape[1:])
    values = array.reshape(-1).view(np.uint8).data
    if compress is None:
        crc = crc32(values, levels_crc)
        return _data_page(array.size, (levels, values), PLAIN, crc=crc)
    content = levels + bytes(values)
    packed = compress(content)
    return _data_page(array.size, (packed,), PLAIN, crc=crc32(packed), unpacked_size=len(content))


def index_page(indices: NDArray[np.integer], num_entries: int) -> Page:
    """A page of (N,) places in a dictionary of so many entries."""
    width = max(1, (num_entries - 1).bit_length())
    if num_entries <= 1:
        content = bytes([width]) + varint(len(indices) << 1) + b"\0"
    else:
        content = bytes([width]) + _bit_packed(indices.astype(np.uint32), width)
    return _data_page(len(indices), (content,), RLE_DICTIONARY, crc=crc32(content))


def dictionary_page(texts: Sequence[str]) -> Page:
    """The page of texts that the pages of indices after it refer to."""
    encoded = [text.encode() for text in texts]
    content = b"".join(len(text).to_bytes(4, "little") + text for text in encoded)
    kind = struct([(1, I32(len(texts))), (2, I32(PLAIN))])
    header = struct(
        [
            (1, I32(_DICTIONARY_PAGE)),
            (2, I32(len(content))),
            (3, I32(len(content))),
            (4, _signed(crc32(content))),
            (7, kind),
        ]
    )
    return _page(header.content, (content,))


def _data_page(
    num_values: int,
    content: tuple[bytes | memoryview, ...],
    encoding: int,
    *,
    crc: int,
    unpacked_size: int | None = None,
) -> Page:
    size = sum(map(len, content))
    kind = struct([(1, I32(num_values)), (2, I32(encoding)), (3, I32(RLE)), (4, I32(RLE))])
    header = struct(
        [
            (1, I32(_DATA_PAGE)),
            (2, I32(size if unpacked_size is None else unpacked_size)),
            (3, I32(size)),
            (4, _signed(crc)),
            (5, kind),
        ]
    )
    return _page(header.content, content, unpacked_size)


def _page(header: bytes, content: tuple[bytes | memoryview, ...], unpacked_size: int | None = None) -> Page:
    size = sum(map(len, content))
    return Page(
        parts=(header, *content),
        size=len(header) + size,
        unpacked_size=len(header) + (size if unpacked_size is None else unpacked_size),
    )


def _signed(crc: int) -> I32:
    return I32(crc - (1 << 32) if crc >= 1 << 31 else crc)


@lru_cache(maxsize=64)
def _levels(rows: int, sizes: tuple[int, ...]) -> tuple[bytes, int]:
    """Repetition and then definition levels of so many rows, and their checksum."""
    depth = len(sizes)
    if not depth:
        return b"", 0
    width = depth.bit_length()
    row = np.full(sizes, depth, np.uint32)
    # The first number of a list of the innermost level repeats the level outside of it, and so on outwards.
    for level in range(depth - 1, -1, -1):
        row[(slice(None),) * level + (0,) * (depth - level)] = level
    repetition = _bit_packed(np.tile(row.reshape(-1), rows), width)
    definition = varint(rows * math.prod(sizes) << 1) + bytes([depth])
    levels = b"".join(len(part).to_bytes(4, "little") + part for part in (repetition, definition))
    return levels, crc32(levels)


def _bit_packed(numbers: NDArray[np.uint32], width: int) -> bytes:
    """(K,) small numbers, the lowest bits first, in groups of eight numbers."""
    groups = -(-len(numbers) // _BITS_PER_GROUP)
    bits = np.zeros((groups * _BITS_PER_GROUP, width), np.uint8)
    for place in range(width):
        bits[: len(numbers), place] = numbers >> place & 1
    return varint(groups << 1 | 1) + np.packbits(bits, axis=None, bitorder="little").tobytes()
