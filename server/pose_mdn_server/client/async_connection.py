"""A connection for asyncio, which clients of several services may share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import grpc.aio

from pose_mdn_server.client.channels import ChannelPool, channel_arguments, tls_credentials
from pose_mdn_server.client.connection import Metadata, metadata_of_call
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.client.options import DEFAULT_TARGET, ConnectionOptions
from pose_mdn_server.codec.methods import MethodName
from pose_mdn_server.status import from_rpc_error

Answer = TypeVar("Answer")


class AsyncConnection:
    """Connections to one server, over which calls spread; for one event loop, the one of its first call.

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
        self._credentials = tls_credentials(self.options)
        self._opened: ChannelPool[grpc.aio.Channel] | None = None

    async def call(self, exchange: Exchange[Answer], extra_metadata: Metadata = ()) -> Answer:
        """Send a request, wait, and read the answer. A task that is cancelled here cancels the call.

        Raises:
            PoseMDNError: What the server said was wrong, or that there was no answer.
        """
        pool = self._opened or self._open()
        member = pool.take()
        try:
            path = exchange.method.path
            if path not in member.methods:
                member.methods[path] = member.channel.unary_unary(
                    path, lambda message: message.SerializeToString(), exchange.method.parse
                )
            message = await member.methods[path](
                exchange.request,
                timeout=self.options.timeout_s,
                metadata=metadata_of_call(self._metadata, self.options, extra_metadata),
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.target) from error
        finally:
            pool.give_back(member)
        return exchange.read(message)

    @asynccontextmanager
    async def stream(self, method: MethodName, messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Answers to messages, over one of the connections; the stream is cancelled when the block is left."""
        pool = self._opened or self._open()
        member = pool.take()
        try:
            if method.path not in member.methods:
                member.methods[method.path] = member.channel.stream_stream(
                    method.path, lambda message: message.SerializeToString(), method.parse
                )
            answers = member.methods[method.path](messages, metadata=metadata_of_call(self._metadata, self.options))
            try:
                yield answers
            finally:
                answers.cancel()
        finally:
            pool.give_back(member)

    def _open(self) -> ChannelPool[grpc.aio.Channel]:
        """Not before the first call, because gRPC binds channels to the event loop that runs when they are made."""
        channels = []
        for index in range(self.options.channels):
            arguments = channel_arguments(self.target, self.options, index)
            if self._credentials is None:
                channels.append(grpc.aio.insecure_channel(self.target, options=arguments))
            else:
                channels.append(grpc.aio.secure_channel(self.target, self._credentials, options=arguments))
        self._opened = ChannelPool(channels)
        return self._opened

    async def close(self) -> None:
        """Close all connections; calls under way are cancelled."""
        if self._opened is not None:
            for member in self._opened.members:
                await member.channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
