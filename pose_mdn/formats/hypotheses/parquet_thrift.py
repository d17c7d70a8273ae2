"""Just enough of Thrift's compact protocol to write the headers and the footer of a Parquet file.

The protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_I16, _I32, _I64, _BINARY, _LIST, _STRUCT = 4, 5, 6, 8, 9, 12
_SHORT_LIST = 15
_LARGEST_STEP = 15


@dataclass(frozen=True, slots=True)
class I16:
    """A whole number of 16 bits."""

    value: int


@dataclass(frozen=True, slots=True)
class I32:
    """A whole number of 32 bits, also an enumeration's."""

    value: int


@dataclass(frozen=True, slots=True)
class I64:
    """A whole number of 64 bits."""

    value: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """A struct that is encoded already."""

    content: bytes


Value: TypeAlias = I16 | I32 | I64 | Encoded | bytes | Sequence["Value"]
"""What a field holds; sequences are lists of values of one type."""


def struct(fields: Iterable[tuple[int, Value | None]]) -> Encoded:
    """Encode a struct.

    Args:
        fields: (number, value) by growing number; fields with `None` are left out.
    """
    parts = []
    last = 0
    for number, value in fields:
        if value is None:
            continue
        step, kind = number - last, _kind(value)
        if step <= _LARGEST_STEP:
            parts.append(bytes([step << 4 | kind]))
        else:
            parts.append(bytes([kind]) + _zigzag(number))
        parts.append(_content(value))
        last = number
    return Encoded(b"".join(parts) + b"\0")


def varint(number: int) -> bytes:
    """An unsigned number in groups of seven bits, the lowest first."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _zigzag(number: int) -> bytes:
    return varint(number * 2 if number >= 0 else -number * 2 - 1)


def _kind(value: Value) -> int:
    match value:
        case I16():
            return _I16
        case I32():
            return _I32
        case I64():
            return _I64
        case Encoded():
            return _STRUCT
        case bytes():
            return _BINARY
        case _:
            return _LIST


def _content(value: Value) -> bytes:
    match value:
        case I16() | I32() | I64():
            return _zigzag(value.value)
        case Encoded():
            return value.content
        case bytes():
            return varint(len(value)) + value
        case _:
            return _list(value)


def _list(values: Sequence[Value]) -> bytes:
    kind = _kind(values[0]) if values else _STRUCT
    head = bytes([len(values) << 4 | kind]) if len(values) < _SHORT_LIST else bytes([0xF0 | kind]) + varint(len(values))
    return head + b"".join(map(_content, values))
