"""What a service offers, so that any transport can carry it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.message import Message

from pose_mdn_server.calls.answers import Answers
from pose_mdn_server.calls.call import Call


def serialize(message: Message) -> bytes:
    """A message as bytes."""
    return message.SerializeToString()


@dataclass(frozen=True, kw_only=True)
class UnaryMethod:
    """One request, one answer.

    Attributes:
        path: "/package.Service/Method".
        decode: Bytes to request; `ValueError` and protobuf's `DecodeError` refuse the call.
        handle: Request and call to the answer, or to a `Pending` of it; a `PoseMDNError` refuses the call.
        encode: Answer to bytes.
        in_thread: Whether `handle` takes long and therefore runs in a thread of its own.
    """

    path: str
    decode: Callable[[bytes], Any]
    handle: Callable[[Any, Call], Any]
    encode: Callable[[Any], bytes] = serialize
    in_thread: bool = False


class StreamSession(Protocol):
    """What is remembered between the messages of one stream. Methods are called one at a time."""

    def receive(self, message: Any) -> None:
        """Take in the next message; a `PoseMDNError` ends the stream after the answers before it."""

    def end(self) -> None:
        """The caller sends no more; whoever has nothing more to say ends the answers."""

    def close(self) -> None:
        """The stream is over, whatever the reason; called exactly once."""


@dataclass(frozen=True, kw_only=True)
class StreamMethod:
    """Messages both ways (or one request and many answers: it is the same to the server).

    Attributes:
        path: "/package.Service/Method".
        decode: Bytes to message.
        open: Begins a stream: the call, and where to put its answers.
        encode: Answer to bytes.
    """

    path: str
    decode: Callable[[bytes], Any]
    open: Callable[[Call, Answers], StreamSession]
    encode: Callable[[Any], bytes] = serialize


Method = UnaryMethod | StreamMethod
