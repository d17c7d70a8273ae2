"""The few EXIF tags of a JPEG photograph that tell about its lens (JEITA CP-3451, Exif 2.3; TIFF 6.0)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pose_mdn.formats.faults import fault, unreadable

ORIENTATION = 0x0112
PIXEL_X_DIMENSION = 0xA002
FOCAL_LENGTH = 0x920A
FOCAL_PLANE_X_RESOLUTION = 0xA20E
FOCAL_PLANE_RESOLUTION_UNIT = 0xA210
FOCAL_LENGTH_IN_35MM_FILM = 0xA405

_EXIF_DIRECTORY = 0x8769
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_APP1, _START_OF_SCAN, _END = 0xE1, 0xDA, 0xD9
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
"""Segments that are numbered among the frame headers and are none."""
_CURE = "give the original photograph, as the camera wrote it"


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """What a file says about the picture in it.

    Attributes:
        stored_size: (width, height) in pixels, before it is turned as `ORIENTATION` asks.
        tags: EXIF numbers by tag; empty if the file has none.
    """

    stored_size: tuple[int, int]
    tags: dict[int, float]


def read_photograph(path: Path) -> Photograph:
    """Read the head of a JPEG file.

    Raises:
        FormatError: The file cannot be read, or is no whole JPEG.
    """
    tags: dict[int, float] = {}
    try:
        with path.open("rb") as stream:
            if stream.read(2) != b"\xff\xd8":
                cure = "convert it to JPEG, keeping its EXIF"
                raise fault(path, expected="a JPEG photograph", got="another file", cure=cure)
            for marker, content in _segments(stream):
                if marker == _APP1 and content.startswith(b"Exif\0\0") and not tags:
                    tags = _read_tags(content[6:])
                elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
                    height, width = struct.unpack_from(">HH", content, 1)
                    return Photograph(stored_size=(width, height), tags=tags)
    except OSError as error:
        raise unreadable(path, error) from error
    except struct.error as error:
        raise fault(path, expected="a whole JPEG file", got="a damaged one", cure=_CURE) from error
    raise fault(path, expected="a JPEG file with a picture", got="one that ends before it", cure=_CURE)


def _segments(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Markers and contents of the segments before the picture's data."""
    while True:
        lead, marker = struct.unpack("BB", stream.read(2))
        while marker == 0xFF:
            (marker,) = struct.unpack("B", stream.read(1))
        if lead != 0xFF or marker in {_START_OF_SCAN, _END}:
            return
        (length,) = struct.unpack(">H", stream.read(2))
        if length < 2:
            return
        yield marker, stream.read(length - 2)


def _read_tags(tiff: bytes) -> dict[int, float]:
    """The tags of the main directory and of the EXIF directory; those that point outside of the block are left out."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return {}
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    tags = _read_directory(tiff, order, start)
    if _EXIF_DIRECTORY in tags:
        tags |= _read_directory(tiff, order, int(tags[_EXIF_DIRECTORY]))
    return tags


def _read_directory(tiff: bytes, order: str, start: int) -> dict[int, float]:
    tags: dict[int, float] = {}
    if start + 2 > len(tiff):
        return tags
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", tiff, place)
        if values == 1 and kind in {_SHORT, _LONG}:
            tags[tag] = float(struct.unpack_from(order + ("H" if kind == _SHORT else "I"), tiff, place + 8)[0])
        elif values == 1 and kind == _RATIONAL:
            (offset,) = struct.unpack_from(order + "I", tiff, place + 8)
            if offset + 8 <= len(tiff):
                numerator, denominator = struct.unpack_from(order + "II", tiff, offset)
                tags[tag] = numerator / denominator if denominator else 0.0
    return tags
