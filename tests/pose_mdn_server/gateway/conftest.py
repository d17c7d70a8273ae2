"""The HTTP port in front of a real server, and in front of one that does as a test says."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway.gateway import Gateway
from pose_mdn_server.gateway.run import bind
from pose_mdn_server.server import PoseServer

PAGE_ORIGIN = "http://page.example:3000"
WAIT_S = 20.0


@dataclass
class FakeSupervisor:
    """Tells what a test wants it to tell."""

    ready: dict[str, object] = field(default_factory=lambda: {"ready": True, "workers": 2})
    failure: Exception | None = None

    def metrics(self, openmetrics: bool) -> tuple[bytes, str]:
        if self.failure is not None:
            raise self.failure
        return (b"# EOF\n", "application/openmetrics-text") if openmetrics else (b"up 1\n", "text/plain; version=0.0.4")

    def readiness(self) -> dict[str, object]:
        if self.failure is not None:
            raise self.failure
        return self.ready


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class RunningGateway:
    port: int
    supervisor: FakeSupervisor
    stop: Callable[[], bool]
    tls: Any = None

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        kind = http.client.HTTPConnection if self.tls is None else http.client.HTTPSConnection
        options = {} if self.tls is None else {"context": self.tls}
        connection = kind("127.0.0.1", self.port, timeout=WAIT_S, **options)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, body: bytes, content_type: str, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, body, {"content-type": content_type, **named})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)


@contextmanager
def running_gateway(config: ServerConfig, target: str, tls: Any = None) -> Iterator[RunningGateway]:
    """A gateway on an event loop of its own, on a thread."""
    supervisor = FakeSupervisor()
    listener = bind(config.http_host, 0)
    port = listener.getsockname()[1]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    gateway = Gateway(config, supervisor=supervisor, grpc_target=target)

    async def start() -> None:
        gateway.start(listener)

    stopped: list[bool] = []

    def stop() -> bool:
        if not stopped:
            stopped.append(asyncio.run_coroutine_threadsafe(gateway.drain(), loop).result(WAIT_S))
        return stopped[0]

    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result(WAIT_S)
        yield RunningGateway(port, supervisor, stop, tls)
    finally:
        stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_S)
        loop.close()


@pytest.fixture(scope="session")
def gateway(server: PoseServer) -> Iterator[RunningGateway]:
    config = ServerConfig(
        http_port=0, workers=1, drain_s=5.0, http_allowed_origins=(PAGE_ORIGIN,), http_allowed_hosts=("poses.example",)
    )
    with running_gateway(config, server.address) as running:
        yield running


@dataclass
class Script:
    """What the scripted server saw, and what it does with a call of any method."""

    behave: Callable[[bytes, grpc.ServicerContext], bytes] = lambda request, context: request
    metadata: list[tuple[str, str | bytes]] = field(default_factory=list)
    remaining_s: float | None = None
    called: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def hold(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Answer only when the test says so."""
        self.released.wait(WAIT_S)
        return request

    def answer(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(lambda: None if context.is_active() else self.cancelled.set())
        self.metadata = [(item.key, item.value) for item in context.invocation_metadata()]
        self.remaining_s = context.time_remaining()
        self.called.set()
        for request in requests:
            yield self.behave(request, context)


@contextmanager
def scripted_server(script: Script) -> Iterator[str]:
    """A gRPC server that answers every method as the script says, and its address."""

    class Everything(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
            return grpc.stream_stream_rpc_method_handler(script.answer)

    server = grpc.server(ThreadPoolExecutor(4), handlers=(Everything(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def scripted(script: Script) -> Iterator[RunningGateway]:
    with (
        scripted_server(script) as target,
        running_gateway(
            ServerConfig(http_port=0, workers=1, drain_s=1.0, max_message_bytes=100_000), target
        ) as running,
    ):
        yield running
