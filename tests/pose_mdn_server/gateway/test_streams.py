"""Answers that come over time, and callers who do not wait for them."""

import json
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import grpc
import pytest

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway import connection as connection_module
from pose_mdn_server.gateway import gateway as gateway_module

from .conftest import RunningGateway, Script, running_gateway, scripted_server

CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"


class Endless(Script):
    """Answers as long as somebody takes the answers, at most `enough` of them."""

    def __init__(self, size: int = 10, enough: int = 10_000) -> None:
        super().__init__()
        self.size = size
        self.enough = enough
        self.sent = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def answer(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(self.cancelled.set)
        context.send_initial_metadata(())
        self.called.set()
        while context.is_active() and self.sent < self.enough:
            self.go_on.wait(10)
            self.sent += 1
            yield bytes(self.size)


def ask_to_watch(content_type: str) -> bytes:
    head = (f"POST {WATCH} HTTP/1.1", "host: localhost", f"content-type: {content_type}", "content-length: 5", "", "")
    return "\r\n".join(head).encode() + bytes(5)


@pytest.fixture
def endless() -> Iterator[tuple[RunningGateway, Endless]]:
    script = Endless()
    with (
        scripted_server(script) as target,
        running_gateway(ServerConfig(http_port=0, workers=1, drain_s=0.2), target) as running,
    ):
        yield running, script


@pytest.mark.parametrize("content_type", ["application/connect+proto", "application/grpc-web+proto"])
def test_answers_come_one_by_one_until_the_caller_leaves(
    endless: tuple[RunningGateway, Endless], content_type: str
) -> None:
    running, script = endless
    script.go_on.clear()
    with running.connect() as connection:
        connection.sendall(ask_to_watch(content_type))
        for expected in range(1, 4):
            assert script.called.wait(10)
            script.go_on.set()
            data = b""
            while bytes(10) not in data:
                data += connection.recv(4096)
            assert script.sent >= expected
        assert not script.cancelled.is_set()
    assert script.cancelled.wait(10)


def test_a_reader_that_takes_nothing_holds_the_server_back_and_is_given_up(
    endless: tuple[RunningGateway, Endless], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, script = endless
    script.size = 1_000_000
    script.enough = 1000
    monkeypatch.setattr(connection_module, "WRITE_S", 0.5)
    with running.connect() as connection:
        connection.sendall(ask_to_watch("application/connect+proto"))
        assert script.cancelled.wait(20)
    assert script.sent < 100  # what sockets and HTTP/2 windows on the way hold, of a thousand


def test_streams_that_never_end_leave_room_for_other_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "MAX_STREAMS", 2)
    script = Endless()
    config = ServerConfig(http_port=0, workers=1, drain_s=0.2)
    with scripted_server(script) as target, running_gateway(config, target) as running, ExitStack() as stack:
        script.go_on.clear()
        stack.callback(script.go_on.set)
        watchers = [stack.enter_context(running.connect()) for _ in range(2)]
        for watcher in watchers:
            watcher.sendall(ask_to_watch("application/connect+proto"))
            assert watcher.recv(12) == b"HTTP/1.1 200"
        refused = running.post(WATCH, bytes(5), "application/grpc-web")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert running.post(CHECK, b"", "application/proto", connect_timeout_ms="100").status == 504
        watchers[0].close()
        for _ in range(200):  # the place is free as soon as the gateway has seen that it is
            if running.post(WATCH, bytes(5), "application/grpc-web", grpc_timeout="100m").status == 200:
                return
        pytest.fail("a watcher who left keeps its place")


def test_whole_streams_end_with_their_trailers(endless: tuple[RunningGateway, Endless]) -> None:
    running, script = endless
    script.enough = 3
    body = running.post(WATCH, struct.pack(">BI", 0, 0), "application/connect+proto").body
    assert body[-7:-2] == struct.pack(">BI", 2, 2)
    assert json.loads(body[-2:]) == {}


def test_draining_ends_streams_that_would_never_end(endless: tuple[RunningGateway, Endless]) -> None:
    running, script = endless
    script.go_on.clear()
    with running.connect() as connection:
        connection.sendall(ask_to_watch("application/connect+proto"))
        assert script.called.wait(10)
        assert not running.stop()
        assert script.cancelled.wait(10)
        script.go_on.set()
