"""A blocking connection to a server, which clients of several services may share."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from pose_mdn_server.client.channels import ChannelPool, PooledChannel, channel_arguments, tls_credentials
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.client.options import DEFAULT_TARGET, ConnectionOptions
from pose_mdn_server.codec.methods import MethodName
from pose_mdn_server.status import REQUEST_ID_KEY, from_rpc_error

Answer = TypeVar("Answer")
Metadata = tuple[tuple[str, str], ...]

BULK: Metadata = (("x-priority", "bulk"),)
"""Says that nobody waits for the answer of a call."""


class Connection:
    """Connections to one server, over which calls spread. Safe to use from several threads.

    Args:
        target: HOST:PORT of the server, or any other name that gRPC knows.
        options: How to connect; as they are by default if left out.

    Raises:
        ConfigError: A file of the options cannot be read, or the token would be sent in clear to another machine.
    """

    def __init__(self, target: str = DEFAULT_TARGET, options: ConnectionOptions | None = None) -> None:
        self.target = target
        self.options = options or ConnectionOptions()
        self.options.refuse_token_in_clear(target)
        self._metadata = self.options.metadata()
        credentials = tls_credentials(self.options)
        self._pool = ChannelPool(
            [
                _open(target, credentials, channel_arguments(target, self.options, index))
                for index in range(self.options.channels)
            ]
        )

    def call(self, exchange: Exchange[Answer], extra_metadata: Metadata = ()) -> Answer:
        """Send a request, wait, and read the answer.

        Raises:
            PoseMDNError: What the server said was wrong, or that there was no answer.
        """
        member = self._pool.take()
        try:
            method = member.methods.get(exchange.method.path) or _unary(member, exchange.method)
            message = method(
                exchange.request,
                timeout=self.options.timeout_s,
                metadata=metadata_of_call(self._metadata, self.options, extra_metadata),
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
        finally:
            self._pool.give_back(member)
        return exchange.read(message)

    @contextmanager
    def stream(self, method: MethodName, messages: Iterable[Any]) -> Iterator[Any]:
        """Answers to messages, over one of the connections; the stream is cancelled when the block is left."""
        member = self._pool.take()
        try:
            stream = member.methods.get(method.path) or _stream(member, method)
            answers = stream(messages, metadata=metadata_of_call(self._metadata, self.options))
            try:
                yield answers
            finally:
                answers.cancel()
        finally:
            self._pool.give_back(member)

    def close(self) -> None:
        """Close all connections; calls under way fail."""
        for member in self._pool.members:
            member.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def metadata_of_call(fixed: Metadata, options: ConnectionOptions, extra: Metadata = ()) -> Metadata | None:
    """What goes with one call; `None` for nothing."""
    if options.request_ids is not None:
        extra = (*extra, (REQUEST_ID_KEY, options.request_ids()))
    if extra and options.priority == "bulk":
        extra = tuple(pair for pair in extra if pair not in BULK)
    return (*fixed, *extra) or None


def _open(target: str, credentials: grpc.ChannelCredentials | None, arguments: list[tuple[str, Any]]) -> grpc.Channel:
    if credentials is None:
        return grpc.insecure_channel(target, options=arguments)
    return grpc.secure_channel(target, credentials, options=arguments)


def _unary(member: PooledChannel[grpc.Channel], method: MethodName) -> Callable[..., Any]:
    member.methods[method.path] = made = member.channel.unary_unary(
        method.path, lambda message: message.SerializeToString(), method.parse
    )
    return made


def _stream(member: PooledChannel[grpc.Channel], method: MethodName) -> Callable[..., Any]:
    member.methods[method.path] = made = member.channel.stream_stream(
        method.path, lambda message: message.SerializeToString(), method.parse
    )
    return made
