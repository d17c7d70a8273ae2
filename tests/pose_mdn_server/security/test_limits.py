import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import ListValue

from pose_mdn_server.config import ServerConfig
from pose_mdn_server.security import limits
from pose_mdn_server.security.limits import channel_options, messages_are_bounded

from .conftest import COUNT, ECHO, GROW, echoing
from .raw_http2 import (
    ACK,
    DATA,
    GOAWAY,
    HEADERS,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME,
    PING,
    PREFACE,
    RST_STREAM,
    RawConnection,
    frame,
    literal,
)

MIB = 1024 * 1024
CONFIG = ServerConfig(max_message_bytes=MIB, max_metadata_bytes=4096)
REFUSED_STREAM, ENHANCE_YOUR_CALM = 7, 11


def outcome(port: int, request: bytes, method: str = ECHO, **options: object) -> grpc.StatusCode:
    unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=unlimited) as channel:
        try:
            channel.unary_unary(method)(request, timeout=20, **options)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def still_answers(port: int) -> bool:
    return outcome(port, b"hello") is grpc.StatusCode.OK


def kinds_until_closed(connection: RawConnection) -> list[int]:
    return [kind for kind, *_ in connection.frames()]


def test_messages_have_a_longest_length() -> None:
    with echoing(channel_options(CONFIG)) as port:
        assert outcome(port, bytes(MIB), COUNT) is grpc.StatusCode.OK
        assert outcome(port, bytes(MIB + 1), COUNT) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert outcome(port, str(MIB).encode(), GROW) is grpc.StatusCode.OK
        assert outcome(port, str(MIB + 1).encode(), GROW) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert still_answers(port)


@pytest.mark.parametrize(("length", "is_ok"), [(3000, True), (5000, False), (50_000, False)])
def test_metadata_have_a_longest_length_without_chance(length: int, is_ok: bool) -> None:
    with echoing(channel_options(CONFIG)) as port:
        for _ in range(3):
            code = outcome(port, b"hello", metadata=(("x-long", "a" * length),))
            assert code is (grpc.StatusCode.OK if is_ok else grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert still_answers(port)


def test_metadata_just_within_the_limit_are_never_refused() -> None:
    with echoing(channel_options(ServerConfig(max_metadata_bytes=16 * 1024))) as port:
        for _ in range(10):
            assert outcome(port, b"hello", metadata=(("x-long", "a" * 15_500),)) is grpc.StatusCode.OK


SERVER = """
import sys, time
import grpc
from concurrent.futures import ThreadPoolExecutor
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.security.limits import channel_options
class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server = grpc.server(ThreadPoolExecutor(2), options=channel_options(ServerConfig(max_message_bytes=1024 * 1024)))
server.add_generic_rpc_handlers((Echo(),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
"""


@pytest.fixture
def server_process() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Port and process of a server, of which the memory can be measured."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process
        process.kill()


def peak_mib(process: subprocess.Popen[str]) -> float:
    (line,) = [line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in line]
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_small_message_that_unpacks_to_a_large_one_costs_no_memory(
    server_process: tuple[int, subprocess.Popen[str]],
) -> None:
    port, process = server_process
    assert still_answers(port)
    before = peak_mib(process)
    code = outcome(port, bytes(96 * MIB), compression=grpc.Compression.Gzip)
    assert code in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED}
    assert peak_mib(process) - before < 16
    assert still_answers(port)


@pytest.mark.skipif(not messages_are_bounded(), reason="this grpcio stores messages before it measures them")
def test_a_message_that_announces_two_gigabytes_is_refused_at_once(
    server_process: tuple[int, subprocess.Popen[str]],
) -> None:
    port, process = server_process
    before = peak_mib(process)
    connection = RawConnection(port)
    connection.open_call(1)
    connection.send(frame(DATA, b"\0" + (2**31 - 1).to_bytes(4, "big"), stream=1))
    connection.send(*[frame(DATA, bytes(MAX_FRAME), stream=1) for _ in range(3)])
    answer = next(payload for kind, _, stream, payload in connection.frames() if kind == HEADERS and stream == 1)
    assert b"grpc-status\x018" in answer
    assert peak_mib(process) - before < 16
    assert still_answers(port)


@pytest.mark.parametrize(("version", "bounded"), [("1.81.1", False), ("1.85.1", True), ("1.100.0rc1", True)])
def test_compression_is_offered_where_it_is_bounded(version: str, bounded: bool) -> None:
    assert messages_are_bounded(version) == bounded


def test_old_versions_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "messages_are_bounded", lambda: True)
    assert limits.version_warning() == ""
    assert "grpc.compression_enabled_algorithms_bitset" not in dict(channel_options(CONFIG))
    monkeypatch.setattr(limits, "messages_are_bounded", lambda: False)
    assert "upgrade" in limits.version_warning()
    assert dict(channel_options(CONFIG))["grpc.compression_enabled_algorithms_bitset"] == 1


@pytest.mark.parametrize("sent", [b"", PREFACE[:10], PREFACE], ids=["nothing", "half a preface", "no settings"])
def test_who_says_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_S", 0.3)
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port, handshake=False)
        connection.send(sent)
        assert kinds_until_closed(connection)[-1] == GOAWAY
        assert still_answers(port)


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + bytes(500), bytes(range(256)) * 64, PREFACE + bytes([255]) * 4096],
    ids=["HTTP/1", "TLS", "bytes", "frames"],
)
def test_garbage_ends_its_own_connection_only(sent: bytes) -> None:
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port, handshake=False)
        connection.send(sent)
        kinds_until_closed(connection)
        assert still_answers(port)


def test_floods_of_pings_end_the_connection() -> None:
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port)
        connection.send(*[frame(PING, bytes(8)) for _ in range(limits.PING_STRIKES + 2)])
        last = list(connection.frames())[-1]
        assert last[0] == GOAWAY
        assert last[3][4:8] == ENHANCE_YOUR_CALM.to_bytes(4, "big")
        assert still_answers(port)


def answered_pings(connection: RawConnection, count: int) -> int:
    """How many of so many pings are answered before the connection ends."""
    answered = 0
    for kind, flags, *_ in connection.frames():
        answered += kind == PING and flags == 1
        if answered == count or kind == GOAWAY:
            break
    return answered


def test_clients_may_keep_connections_alive_without_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLIENT_PINGS_EVERY_S", 0.05)
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port)
        for _ in range(3 * limits.PING_STRIKES):
            connection.send(frame(PING, bytes(8)))
            assert answered_pings(connection, 1) == 1
            time.sleep(0.06)
        assert still_answers(port)


def test_a_few_pings_too_soon_are_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PING_STRIKES", 8)
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port)
        connection.send(*[frame(PING, bytes(8)) for _ in range(8)])
        assert answered_pings(connection, 8) == 8
        connection.send(*[frame(PING, bytes(8)) for _ in range(4)])
        assert kinds_until_closed(connection)[-1] == GOAWAY


def test_a_connection_carries_so_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CALLS_PER_CONNECTION", 2)
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port)
        for stream in (1, 3, 5):
            connection.open_call(stream)
        refused = next(stream for kind, _, stream, _ in connection.frames() if kind == RST_STREAM)
        assert refused == 5
        assert connection.settings[MAX_CONCURRENT_STREAMS] == 2
        assert still_answers(port)


@pytest.mark.parametrize("calls", [0, 1])
def test_who_answers_no_pings_is_gone(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    monkeypatch.setattr(limits, "KEEPALIVE_AFTER_S", 1.0)  # gRPC takes no less
    monkeypatch.setattr(limits, "KEEPALIVE_ANSWER_S", 0.3)
    with echoing(channel_options(CONFIG)) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as alive:
        assert alive.unary_unary(ECHO)(b"hello", timeout=5) == b"hello"
        states: list[grpc.ChannelConnectivity] = []
        alive.subscribe(states.append)
        connection = RawConnection(port)
        for _ in range(calls):
            connection.open_call(1)
        assert PING in kinds_until_closed(connection)
        assert grpc.ChannelConnectivity.IDLE not in states, "who answers stays connected"
        assert grpc.ChannelConnectivity.CONNECTING not in states


def test_connections_end_at_their_age() -> None:
    config = ServerConfig(max_connection_age_s=0.3, drain_s=0.2)
    with echoing(channel_options(config)) as port:
        connection = RawConnection(port, timeout_s=3)
        connection.open_call(1)
        kinds = []
        for kind, flags, _, payload in connection.frames():
            kinds.append(kind)
            if kind == PING and not flags:
                connection.send(frame(PING, payload, flags=ACK))
        assert GOAWAY in kinds, "and closed, although its call never ends"


def test_connections_without_calls_end() -> None:
    with echoing(channel_options(ServerConfig(max_connection_idle_s=0.3))) as port:
        assert kinds_until_closed(RawConnection(port))[-1] == GOAWAY


def test_age_and_idleness_can_be_left_unlimited() -> None:
    names = dict(channel_options(ServerConfig(max_connection_age_s=0, max_connection_idle_s=0)))
    assert not [name for name in names if "connection_age" in name or "connection_idle" in name]


def test_a_worker_has_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 2)
    with echoing(channel_options(CONFIG)) as port:
        first, second = RawConnection(port), RawConnection(port)
        for connection in (first, second):
            next(connection.frames())
        assert kinds_until_closed(RawConnection(port)) == []
        first.close()
        second.close()
        # The server learns of the end of a connection from the network, in its own time.
        end = time.monotonic() + 20
        while not (answers := still_answers(port)) and time.monotonic() < end:
            time.sleep(0.05)
        assert answers


def nested(depth: int) -> bytes:
    """A list in a list in a list, as google.protobuf has them; each level is two messages."""
    content = b""
    for _ in range(depth):
        content = b"\x32" + varint(len(content)) + content  # Value.list_value
        content = b"\x0a" + varint(len(content)) + content  # ListValue.values
    return content


def varint(number: int) -> bytes:
    coded = bytearray()
    while number >= 128:
        coded.append(number % 128 + 128)
        number //= 128
    return bytes([*coded, number])


def test_messages_nest_a_hundred_deep_and_no_deeper() -> None:
    ListValue().ParseFromString(nested(49))
    for depth in (51, 5000):
        with pytest.raises(DecodeError):
            ListValue().ParseFromString(nested(depth))


def test_unknown_groups_nest_no_deeper_either() -> None:
    for depth, is_ok in ((90, True), (110, False), (100_000, False)):
        content = b"\x9b\x06" * depth + b"\x9c\x06" * depth  # field 99: begin and end of a group
        if is_ok:
            ListValue().ParseFromString(content)
        else:
            with pytest.raises(DecodeError):
                ListValue().ParseFromString(content)


def test_headers_are_read_as_they_were_written() -> None:
    with echoing(channel_options(CONFIG)) as port:
        connection = RawConnection(port)
        connection.open_call(1, extra=literal(b"x-a", b"b" * 300))
        connection.send(frame(DATA, b"\0\0\0\0\x02hi", flags=1, stream=1))
        answer = b"".join(payload for kind, _, stream, payload in take_call(connection) if stream == 1 and kind == DATA)
        assert answer == b"\0\0\0\0\x02hi"


def take_call(connection: RawConnection) -> Iterator[tuple[int, int, int, bytes]]:
    for part in connection.frames():
        yield part
        if part[0] == HEADERS and part[1] & 1:
            return
