"""JSON files from disk: fast, with a limit on memory, and with one-line errors."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from pose_mdn.errors import FormatError
from pose_mdn.formats.faults import fault, unreadable
from pose_mdn.formats.keypoints.keypoint_format import first_bytes

LARGEST_DOCUMENT_BYTES = 256 << 20
"""What is parsed in one piece. Parsed JSON takes about six times its size, so this stays below 2 GB."""
PIECE_BYTES = 1 << 18
"""How much of a long list is parsed at a time: little, so that memory just given back is used again. Measured, a third
faster than all at once."""

_SMALL_BYTES = 1 << 16
_LARGE_BYTES = 4 << 20
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_NOT_JSON_BUT_COMMON = re.compile(rb"\b(?:NaN|Infinity)\b")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_FIRST_KEY = re.compile(rb'\s*\[\s*\{\s*("[^"\\]{1,64}")')
_ATTEMPTS = 3


def read_json(path: Path) -> object:
    """Parse a JSON file.

    Raises:
        FormatError: The file cannot be read, is not JSON, or is larger than `LARGEST_DOCUMENT_BYTES`.
    """
    return read_small_json(os.fspath(path))


def read_small_json(path: str) -> object:
    """The same for a path as text and at the least cost per file: folders hold hundreds of thousands of frames."""
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
        try:
            content = os.read(descriptor, _SMALL_BYTES)
            if len(content) == _SMALL_BYTES:
                content += _read_rest(path, descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(Path(path), error) from error
    try:
        document: object = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = parse(path, content)
    return document


def parse(path: str, content: bytes, *, offset: int = 0) -> object:
    """Parse JSON, and what Python's writer makes of it: NaN, Infinity, byte order marks, UTF-16.

    Args:
        path: The file, for the message.
        content: Its bytes, or a piece of them.
        offset: Where in the file these bytes begin, for the message.

    Raises:
        FormatError: It is not JSON.
    """
    try:
        document: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if content.startswith(_BYTE_ORDER_MARKS) or _NOT_JSON_BUT_COMMON.search(content):
            return _parse_python_json(path, content)
        reason = f"{error.msg.split(':')[0]} near byte {offset + error.pos}"
        raise fault(Path(path), expected="whole JSON", got=reason, cure="write the file again") from error
    return document


def json_head(path: Path, count: int = 1 << 14) -> bytes:
    """The beginning of a JSON file, without white space and byte order mark; empty if it is no readable file."""
    head = first_bytes(path, count)
    for mark in ("utf-16-le", "utf-16-be"):
        if head.startswith("\ufeff".encode(mark)):
            return head.decode(mark, "ignore").removeprefix("\ufeff").lstrip().encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def list_pieces(path: Path, *, piece_bytes: int = PIECE_BYTES) -> Iterator[list[object]]:
    """The elements of a JSON list in order, some at a time, so that memory does not grow with the file.

    A piece is cut where an element seems to end and the next to begin. It is wrapped in brackets and parsed: only whole
    elements can be, so a wrong cut is noticed and another one is tried.

    Args:
        path: A file that holds one list of objects.
        piece_bytes: How much is read at a time.

    Raises:
        FormatError: It cannot be read, is not JSON or no list; or pieces would be larger than `LARGEST_DOCUMENT_BYTES`.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            yield from _list_pieces(os.fspath(path), stream, piece_bytes)
    except OSError as error:
        raise unreadable(path, error) from error


def _list_pieces(path: str, stream: BinaryIO, piece_bytes: int) -> Iterator[list[object]]:
    pending, offset = stream.read(piece_bytes), 0
    key = _FIRST_KEY.match(pending)
    boundary = re.compile(rb"\}(\s*,\s*)\{\s*" + re.escape(key[1])) if key else None
    wanted = piece_bytes
    while more := stream.read(wanted):
        pending += more
        found = _cut(pending, boundary) if boundary is not None else None
        if found is None:
            _require_size(path, len(pending))
            wanted = min(2 * wanted, LARGEST_DOCUMENT_BYTES)  # else a file without any cut would be searched too often
            continue
        elements, used = found
        offset, pending, wanted = offset + used - 1, b"[" + pending[used:], piece_bytes
        yield elements
    document = parse(path, pending, offset=offset)
    if not isinstance(document, list):
        raise fault(Path(path), expected="a list", got="another JSON value", cure="say with format= what it is")
    yield document


def _cut(pending: bytes, boundary: re.Pattern[bytes]) -> tuple[list[object], int] | None:
    """The elements up to the last place where the list can be cut, and the number of bytes until the next element."""
    # The last cut of many is found without looking at them all.
    start = max(0, len(pending) - (1 << 16))
    cuts = list(boundary.finditer(pending, start)) or list(boundary.finditer(pending))
    for cut in reversed(cuts[-_ATTEMPTS:]):
        try:
            elements = parse("", pending[: cut.start() + 1] + b"]")
        except FormatError:
            continue
        if isinstance(elements, list):
            return elements, cut.end(1)
    return None


def _parse_python_json(path: str, content: bytes) -> object:
    try:
        document: object = json.loads(content)
    # RecursionError: brackets nested deeper than any detector writes.
    except (ValueError, RecursionError) as error:
        raise fault(Path(path), expected="whole JSON", got=str(error)[:120], cure="write the file again") from error
    return document


def _read_rest(path: str, descriptor: int) -> bytes:
    pieces: list[bytes] = []
    size = _SMALL_BYTES
    while piece := os.read(descriptor, _LARGE_BYTES):
        pieces.append(piece)
        size += len(piece)
        _require_size(path, size)
    return b"".join(pieces)


def _require_size(path: str, size: int) -> None:
    if size > LARGEST_DOCUMENT_BYTES:
        raise fault(
            Path(path),
            expected=f"at most {LARGEST_DOCUMENT_BYTES >> 20} MiB of JSON that hangs together",
            got="more",
            cure="split it into several files, or write a list of people (COCO results), which is read in pieces",
        )
