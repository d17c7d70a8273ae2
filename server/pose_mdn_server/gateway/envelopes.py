"""Messages in envelopes, a byte of flags and four of length, as Connect's streams and gRPC-Web's calls have them."""

import struct

import grpc

from pose_mdn_server.gateway.compression import IDENTITY, unpack
from pose_mdn_server.gateway.http_errors import RefusedCallError

COMPRESSED = 0x01
END_OF_STREAM = 0x02
"""Connect's flag of the message that ends a stream."""
TRAILERS = 0x80
"""gRPC-Web's flag of the message that ends an answer."""

_MAX_MESSAGES = 65_536
_PREFIX = struct.Struct(">BI")


def enclose(flags: int, message: bytes) -> bytes:
    """A message in its envelope."""
    return _PREFIX.pack(flags, len(message)) + message


def open_envelopes(body: bytes, coding: str, limit: int) -> list[bytes]:
    """The messages of a request's body, unpacked.

    Args:
        body: Envelopes, one after the other.
        coding: How those are compressed whose flag says that they are.
        limit: Longest body when unpacked, all messages together.

    Raises:
        RefusedCallError: It is something else, or longer.
    """
    messages: list[bytes] = []
    at, room = 0, limit
    while at < len(body):
        if len(body) - at < _PREFIX.size:
            raise _malformed("the body ends inside the prefix of a message")
        flags, length = _PREFIX.unpack_from(body, at)
        at += _PREFIX.size
        if len(messages) == _MAX_MESSAGES:
            raise _malformed(f"there are more than {_MAX_MESSAGES}")
        if length > len(body) - at:
            raise _malformed(f"a message says it has {length} bytes, of which {len(body) - at} came")
        if flags & ~COMPRESSED:
            raise _malformed(f"flags 0x{flags:02x} in a request")
        message = body[at : at + length]
        at += length
        if flags & COMPRESSED:
            if coding in ("", IDENTITY) and message:
                raise _malformed("a message is compressed, but no header says how")
            message = unpack(message, coding, room)
        room -= len(message)
        messages.append(message)
    return messages


def _malformed(what: str) -> RefusedCallError:
    return RefusedCallError(
        grpc.StatusCode.INVALID_ARGUMENT, f"expected messages with a byte of flags and four of length each, but {what}"
    )
