"""Messages of long columns of numbers as JSON.

The same text as `google.protobuf.json_format` gives, which takes 2 to 3 us for each number; NumPy writes columns in a
quarter of that, piece by piece, so that other threads get their turn.
"""

import json

import numpy as np
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_KINDS = {FieldDescriptor.TYPE_FLOAT: np.float32, FieldDescriptor.TYPE_DOUBLE: np.float64}
_PIECE = 2048
_NOT_FINITE = {b"nan": b'"NaN"', b"inf": b'"Infinity"', b"-inf": b'"-Infinity"'}


def to_json(message: Message) -> bytes:
    """JSON of a message, compact; NaN and infinities are strings. The message loses its columns."""
    parts: list[bytes] = []
    for field, value in message.ListFields():
        name = json.dumps(field.json_name).encode()
        if field.is_repeated and field.type in _KINDS:
            parts.append(name + b":[" + _column(np.asarray(value, _KINDS[field.type])) + b"]")
        elif not field.is_repeated and _is_ours(field.message_type):
            parts.append(name + b":" + to_json(value))
        else:
            continue
        message.ClearField(field.name)
    rest = json_format.MessageToDict(message)
    if rest:
        text = json.dumps(rest, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        parts.insert(0, text.encode()[1:-1])
    return b"{" + b",".join(parts) + b"}"


def _is_ours(kind: Descriptor | None) -> bool:
    """Whether a value is a message that is written as its fields are; some of Google's have a JSON of their own."""
    return kind is not None and not kind.full_name.startswith("google.protobuf.")


def _column(values: "np.ndarray[tuple[int], np.dtype[np.floating]]") -> bytes:
    texts: list[bytes] = []
    for start in range(0, len(values), _PIECE):
        piece = values[start : start + _PIECE]
        written = piece.astype("S32").tolist()
        if not np.isfinite(piece).all():
            written = [_NOT_FINITE.get(text, text) for text in written]
        texts.append(b",".join(written))
    return b",".join(texts)
