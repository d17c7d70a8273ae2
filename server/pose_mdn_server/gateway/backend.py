"""Calls to the gRPC port, of bytes that nobody here reads."""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import grpc

from pose_mdn_server.gateway.http_errors import RefusedCallError
from pose_mdn_server.gateway.metadata import Metadata

_CLOSE_S = 30.0
_KEEPALIVE_MS = 30_000
_RECONNECT_MS = (100, 1000)


@dataclass(kw_only=True)
class Ending:
    """How a call ended, filled in as it goes on.

    Attributes:
        code: Status.
        text: What the status says.
        initial: Metadata from before the answer.
        trailing: Metadata from after it.
    """

    code: grpc.StatusCode = grpc.StatusCode.OK
    text: str = ""
    initial: Metadata = ()
    trailing: Metadata = ()


@dataclass(frozen=True, kw_only=True)
class OutgoingCall:
    """What to send.

    Attributes:
        path: "/package.Service/Method".
        messages: Requests, serialized.
        metadata: Goes along.
        timeout_s: Seconds until it is overdue; `None` for never.
        ending: Is told how it ended.
    """

    path: str
    messages: Sequence[bytes]
    metadata: Metadata
    timeout_s: float | None
    ending: Ending = field(default_factory=Ending)


class Backend:
    """Connections to the gRPC port, taken in turn.

    A connection of HTTP/2 stays with the worker that accepted it, so that there are some for each of them.
    """

    def __init__(self, target: str, *, channels: int, max_message_bytes: int) -> None:
        self._target = target
        self._number = channels
        self._max_message_bytes = max_message_bytes
        self._channels: tuple[grpc.aio.Channel, ...] = ()
        self._turn = itertools.count()
        self._closing: set[asyncio.Task[None]] = set()

    def connect(self, credentials: grpc.ChannelCredentials | None = None, name: str = "") -> None:
        """Connect, or connect anew; calls under way go on where they are. Must be called inside the event loop.

        Args:
            credentials: Whom to trust, and who we are; without them nothing is encrypted.
            name: What the server's certificate calls it.
        """
        old, self._channels = self._channels, tuple(self._open(credentials, name) for _ in range(self._number))
        for channel in old:
            closing = asyncio.create_task(channel.close(_CLOSE_S))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Give up all connections."""
        await asyncio.gather(*(channel.close(None) for channel in self._channels), return_exceptions=True)
        for closing in self._closing:
            closing.cancel()

    async def ask(self, call: OutgoingCall) -> bytes:
        """The one answer to one request; empty if the call failed, which its ending says."""
        sent = self._next().unary_unary(call.path, None, None)(
            call.messages[0],
            timeout=call.timeout_s,
            metadata=call.metadata,
        )
        try:
            answer: bytes = await sent
        except grpc.aio.AioRpcError:
            answer = b""
        finally:
            sent.cancel()
        await _note_ending(sent, call.ending)
        return answer

    async def stream(self, call: OutgoingCall) -> AsyncGenerator[bytes, None]:
        """Answers as they come and are taken. The first item is empty and comes when the initial metadata has."""
        sent = self._next().stream_stream(call.path, None, None)(
            _each(call.messages),
            timeout=call.timeout_s,
            metadata=call.metadata,
        )
        try:
            call.ending.initial = _as_metadata(await sent.initial_metadata())
            yield b""
            async for answer in sent:
                yield answer
        except grpc.aio.AioRpcError:
            pass
        finally:
            sent.cancel()
        await _note_ending(sent, call.ending)

    def _next(self) -> grpc.aio.Channel:
        return self._channels[next(self._turn) % len(self._channels)]

    def _open(self, credentials: grpc.ChannelCredentials | None, name: str) -> grpc.aio.Channel:
        options: list[tuple[str, object]] = [
            ("grpc.max_receive_message_length", self._max_message_bytes),
            ("grpc.max_send_message_length", self._max_message_bytes),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS[0]),
            ("grpc.min_reconnect_backoff_ms", _RECONNECT_MS[0]),
            ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS[1]),
            ("grpc.enable_http_proxy", 0),
        ]
        if credentials is None:
            return grpc.aio.insecure_channel(self._target, options=options)
        if name:
            options.append(("grpc.ssl_target_name_override", name))
        return grpc.aio.secure_channel(self._target, credentials, options=options)


def channels_for(workers: int) -> int:
    """How many connections reach most of so many workers; 0 for one worker on each core."""
    return 2 * (workers or os.cpu_count() or 1)


async def _each(messages: Sequence[bytes]) -> AsyncGenerator[bytes, None]:
    for message in messages:
        yield message


async def _note_ending(sent: "grpc.aio.Call", ending: Ending) -> None:
    ending.initial = _as_metadata(await sent.initial_metadata())
    ending.trailing = _as_metadata(await sent.trailing_metadata())
    ending.code = await sent.code()
    ending.text = await sent.details() or ""


def _as_metadata(found: object) -> Metadata:
    return tuple((str(key), value) for key, value in found or ())  # type: ignore[attr-defined]


def refused(error: RefusedCallError) -> Ending:
    """The ending of a call that was never made."""
    return Ending(code=error.code, text=error.text)
