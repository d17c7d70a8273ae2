"""Bytes on the port that no library would send."""

import socket
import threading
import time
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway import connection as connection_module
from pose_mdn_server.gateway import gateway as gateway_module

from .conftest import RunningGateway, Script, running_gateway
from .test_connect_protocol import LIFT

PIECES = st.sampled_from(
    [
        b"GET /healthz HTTP/1.1\r\n", b"POST " + LIFT.encode() + b" HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n",
        b"host: localhost\r\n", b"content-type: application/json\r\n", b"content-type: application/connect+proto\r\n",
        b"content-length: 2\r\n", b"content-length: 999999999999\r\n", b"transfer-encoding: chunked\r\n", b"\r\n",
        b"{}", b"2\r\n{}\r\n0\r\n\r\n", b"ffffffff\r\n", b"-1\r\n", b"expect: 100-continue\r\n", b"x-a-bin: ====\r\n",
        b"connection: close\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 7,
        b"content-encoding: gzip\r\n", b"grpc-timeout: 1S\r\n", b"x: \xff\xfe\r\n", b"\n\n",
    ]
)  # fmt: skip
RAW = st.lists(PIECES | st.binary(max_size=40), max_size=12).map(b"".join)


def exchange(gateway: RunningGateway, data: bytes) -> bytes:
    """Everything that comes back for some bytes, after which no more come."""
    with gateway.connect() as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


def request(head: bytes, body: bytes = b"") -> bytes:
    return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


def read_answer(connection: socket.socket) -> bytes:
    """One answer with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(1)
        assert piece, data
        data += piece
    length = int(data.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while length > 0:
        piece = connection.recv(length)
        length -= len(piece)
        data += piece
    return data


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RAW)
def test_any_bytes_leave_the_port_as_it_was(
    gateway: RunningGateway, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    answer = exchange(gateway, data)
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert b"Traceback" not in answer
    assert b" 500 " not in answer.split(b"\r\n")[0]
    assert not caplog.records
    assert gateway.ask("GET", "/healthz").status == 200


def test_requests_in_a_row_are_answered_in_order(gateway: RunningGateway) -> None:
    with gateway.connect() as connection:
        first = request(b"GET /healthz HTTP/1.1\nhost: localhost")
        second = request(b"GET /nothing HTTP/1.1\nhost: localhost")
        connection.sendall(first + second + first)
        statuses = [read_answer(connection).split(b" ")[1] for _ in range(3)]
    assert statuses == [b"200", b"404", b"200"]


def test_who_asks_for_a_page_and_says_no_more_is_answered(gateway: RunningGateway) -> None:
    for path in (b"/metrics", b"/readyz", b"/"):
        answer = exchange(gateway, request(b"GET " + path + b" HTTP/1.0"))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer


def test_chunks_are_put_together(gateway: RunningGateway) -> None:
    head = f"POST {LIFT} HTTP/1.1\nhost: localhost\ncontent-type: application/json\ntransfer-encoding: chunked".encode()
    chunks = b'4;ext=1\r\n{"ke\r\n10\r\nypointsPx": [1]}\r\n0\r\nx-trailer: 1\r\n\r\n'
    with gateway.connect() as connection:
        for _ in range(2):
            for byte in request(head, chunks):
                connection.send(bytes([byte]))
            answer = read_answer(connection)
            assert answer.startswith(b"HTTP/1.1 400")
            assert b"keypoints_px: expected" in answer


def test_a_client_that_asks_first_is_told_to_go_on(gateway: RunningGateway) -> None:
    head = f"POST {LIFT} HTTP/1.1\nhost: localhost\ncontent-type: application/json\ncontent-length: 2"
    head += "\nexpect: 100-continue"
    with gateway.connect() as connection:
        connection.sendall(request(head.encode()))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert read_answer(connection).startswith(b"HTTP/1.1 400")
        connection.sendall(request(head.encode().replace(b"application/json", b"text/html")))
        assert read_answer(connection).startswith(b"HTTP/1.1 415")


@pytest.mark.parametrize("coding", [b"content-length: 100001", b"transfer-encoding: chunked"])
def test_long_bodies_are_refused_before_they_have_come(scripted: RunningGateway, coding: bytes) -> None:
    head = f"POST {LIFT} HTTP/1.1\nhost: localhost\ncontent-type: application/json\n".encode() + coding
    with scripted.connect() as connection:
        connection.sendall(request(head, b"186a1\r\n" if b"chunked" in coding else b""))
        assert read_answer(connection).startswith(b"HTTP/1.1 413")


def test_long_heads_are_refused(gateway: RunningGateway) -> None:
    answer = exchange(gateway, b"GET / HTTP/1.1\r\n" + b"x: " + b"a" * 100_000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    assert gateway.ask("GET", "/healthz", headers={"x-long": "a" * 30_000}).status == 431


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HT", f"POST {LIFT} HTTP/1.1\r\nhost: a".encode()])
def test_slow_heads_are_given_up(scripted: RunningGateway, begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "HEAD_S", 0.2)
    monkeypatch.setattr(connection_module, "IDLE_S", 0.2)
    with scripted.connect() as connection:
        connection.sendall(begun)
        assert connection.recv(1) == b""


def test_slow_bodies_are_given_up(scripted: RunningGateway, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "BODY_GRACE_S", 0.3)
    head = f"POST {LIFT} HTTP/1.1\nhost: localhost\ncontent-type: application/proto\ncontent-length: 1000".encode()
    started = time.monotonic()
    with scripted.connect() as connection:
        connection.sendall(request(head, b"x"))
        connection.settimeout(0.05)
        while time.monotonic() - started < 5:
            try:
                connection.sendall(b"x")  # a byte now and then keeps nothing alive
                assert connection.recv(1) == b""
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                pass
            break
    assert 0.3 <= time.monotonic() - started < 5
    assert not script.called.is_set()


def test_idle_connections_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "MAX_CONNECTIONS", 4)
    with (
        running_gateway(ServerConfig(http_port=0, workers=1, drain_s=1.0), "127.0.0.1:1") as running,
        ExitStack() as stack,
    ):
        idle = [stack.enter_context(running.connect()) for _ in range(7)]
        assert running.ask("GET", "/healthz").status == 200
        assert all(connection.recv(1) == b"" for connection in idle[:4])


def test_draining_finishes_what_is_under_way(scripted: RunningGateway, script: Script) -> None:
    go_on = threading.Event()
    script.behave = lambda request, context: b"done" if go_on.wait(10) else b""
    with scripted.connect() as idle, scripted.connect() as busy:
        head = f"POST {LIFT} HTTP/1.1\nhost: localhost\ncontent-type: application/proto\ncontent-length: 0".encode()
        busy.sendall(request(head))
        assert script.called.wait(10)
        draining = threading.Thread(target=scripted.stop)
        draining.start()
        assert idle.recv(1) == b""
        go_on.set()
        answer = read_answer(busy)
        assert answer.endswith(b"\r\n\r\ndone")
        assert b"connection: close" in answer
        draining.join()
    assert scripted.stop()
    with pytest.raises(ConnectionRefusedError):
        scripted.connect()
