"""A server that does what a test tells it, to see what clients make of it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from pose_mdn_server.rpc import model_pb2

ANSWER = model_pb2.GetModelResponse(model=model_pb2.Model(name="scripted", version="1")).SerializeToString()
"""To GetModel."""


@dataclass
class Seen:
    """Calls that arrived.

    Attributes:
        metadata: Of each, in order.
        peers: Address of the other end of each.
    """

    metadata: list[dict[str, str | bytes]] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    address: str = ""


class _AnyMethod(grpc.GenericRpcHandler):
    def __init__(self, seen: Seen, answer: Callable[[int, grpc.ServicerContext], bytes | None]) -> None:
        self._seen, self._answer, self._lock = seen, answer, threading.Lock()

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        def handle(_: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                number = len(self._seen.peers)
                self._seen.metadata.append({item.key: item.value for item in context.invocation_metadata()})
                self._seen.peers.append(context.peer())
            return self._answer(number, context) or ANSWER

        return grpc.unary_unary_rpc_method_handler(handle)


@contextmanager
def scripted_server(
    answer: Callable[[int, grpc.ServicerContext], bytes | None] = lambda number, context: None,
    *,
    port: int = 0,
    credentials: grpc.ServerCredentials | None = None,
    threads: int = 8,
) -> Iterator[Seen]:
    """A server whose every method is `answer(number of the call, context)`; `None` is a good answer."""
    seen = Seen()
    server = grpc.server(ThreadPoolExecutor(threads), options=[("grpc.so_reuseport", 1)])
    server.add_generic_rpc_handlers([_AnyMethod(seen, answer)])
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    seen.address = f"127.0.0.1:{bound}"
    server.start()
    try:
        yield seen
    finally:
        server.stop(None).wait()


@pytest.fixture(scope="session")
def scripted() -> Callable[..., Any]:
    """`with scripted(answer) as seen`."""
    return scripted_server


@pytest.fixture
def willing() -> Iterator[Seen]:
    with scripted_server() as seen:
        yield seen
