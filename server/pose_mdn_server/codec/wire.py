"""Bytes of the wire format, where writing them directly saves copying large arrays."""


def prefix(field: int, length: int) -> bytes:
    """What stands before `length` bytes that are the content of a field of this number.

    The format is that of https://protobuf.dev/programming-guides/encoding/: a tag of field number and wire type 2, then
    the length, both in groups of seven bits, lowest first.
    """
    return _varint(field << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
