"""A call as it came over HTTP, whichever protocol it speaks."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from pose_mdn_server.codec.rpc_methods import RpcMethod
from pose_mdn_server.gateway.message_format import PROTO, from_wire, to_wire
from pose_mdn_server.gateway.metadata import Metadata, call_metadata
from pose_mdn_server.gateway.request_head import RequestHead

_LONG_BYTES = 8 * 1024

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class IncomingCall:
    """A call.

    Attributes:
        method: What is called.
        head: Headers of the request.
        body: Its whole body, as it came.
        message_format: "proto" or "json".
        peer: Address of the one who calls; empty if unknown.
        limit: Longest body when unpacked.
        threads: For what would hold up the event loop.
    """

    method: RpcMethod
    head: RequestHead
    body: bytes
    message_format: str
    peer: str
    limit: int
    threads: Executor

    def metadata(self) -> Metadata:
        """What goes along with the call."""
        return call_metadata(self.head, self.peer)

    async def to_wire(self, message: bytes) -> bytes:
        """A request in protobuf's bytes."""
        if self.message_format == PROTO:
            return message
        return await self.aside(lambda body: to_wire(body, self.message_format, self.method.request), message)

    async def from_wire(self, answer: bytes) -> bytes:
        """An answer in the format of the request."""
        if self.message_format == PROTO:
            return answer
        return await self.aside(lambda body: from_wire(body, self.message_format, self.method.response), answer)

    async def aside(self, work: Callable[[bytes], Result], data: bytes) -> Result:
        """Work on data; on a thread beside the event loop if there is so much of it that others would notice."""
        if len(data) < _LONG_BYTES:
            return work(data)
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, data)
