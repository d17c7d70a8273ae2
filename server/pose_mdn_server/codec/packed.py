"""Fields of bytes, written without a message around them (https://protobuf.dev/programming-guides/encoding/)."""


def packed_head(number: int, length: int) -> bytes:
    """Tag and length of a field that holds so many bytes: a packed list, a text or a message.

    Args:
        number: Of the field.
        length: In bytes.
    """
    return _varint(number << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    low = []
    while value > 127:
        low.append(value & 127 | 128)
        value >>= 7
    return bytes([*low, value])
