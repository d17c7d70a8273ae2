"""Messages as clients of the HTTP port write them, and as gRPC carries them: protobuf's bytes, or its JSON mapping."""

import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from pose_mdn_server.gateway.http_errors import RefusedCallError
from pose_mdn_server.gateway.json_columns import to_json

PROTO = "proto"
JSON = "json"

_MAX_DEPTH = 64
_MAX_REASON = 300


def to_wire(body: bytes, message_format: str, kind: type[Message]) -> bytes:
    """A request in protobuf's bytes. Those that come as such are not looked at; the server does that.

    Raises:
        RefusedCallError: It is not JSON of this message.
    """
    if message_format == PROTO:
        return body
    message = kind()
    try:
        # An empty body is what clients send that have nothing to say, an empty message.
        json_format.Parse(body.decode() if body else "{}", message, max_recursion_depth=_MAX_DEPTH)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())[:_MAX_REASON]
        raise RefusedCallError(
            grpc.StatusCode.INVALID_ARGUMENT, f"expected JSON of a {kind.DESCRIPTOR.full_name}: {reason}"
        ) from None
    return message.SerializeToString()


def from_wire(answer: bytes, message_format: str, kind: type[Message]) -> bytes:
    """An answer in the format that the request came in.

    NaN and infinities are the strings "NaN", "Infinity" and "-Infinity", as the JSON mapping has it.

    Raises:
        RefusedCallError: The server sent something else.
    """
    if message_format == PROTO:
        return answer
    try:
        return to_json(kind.FromString(answer))
    except DecodeError:
        raise RefusedCallError(grpc.StatusCode.INTERNAL, "the server sent no message of its kind") from None
