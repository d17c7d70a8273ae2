"""What every transport does alike, seen from gRPC's own client."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from pose_mdn_server.batching import Batcher, BatcherSettings
from pose_mdn_server.calls import ANYONE, Answers, Call, Client, StreamMethod, UnaryMethod
from pose_mdn_server.calls.dispatcher import Dispatcher
from pose_mdn_server.errors import QueueFullError
from pose_mdn_server.transport import Transport, open_transport

WAIT_S = 20.0


class Everyone:
    """Lets everybody in; remembers who came."""

    def __init__(self) -> None:
        self.metadata: list[dict[str, Any]] = []

    def admit(self, path: str, metadata: Any, peer: str, identity: str | None) -> Client:
        self.metadata.append(dict(metadata))
        assert peer.startswith(("ipv4:127.0.0.1:", "ipv6:"))
        return ANYONE


class Observer:
    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []
        self.end = threading.Event()

    def batch_ran(self, model: str, poses: int, seconds: float) -> None: ...

    def call_started(self, path: str) -> None: ...

    def call_finished(self, call: Call, code: str, seconds: float) -> None:
        self.ended.append((call.path, code))
        self.end.set()

    def call_refused(self, reason: str) -> None: ...

    def message_received(self, call: Call) -> None: ...

    def message_answered(self, call: Call, message: Call | None, seconds: float) -> None: ...


class Echo:
    """Gives every message back; counts what it read."""

    def __init__(self, answers: Answers, read: list[bytes]) -> None:
        self._answers = answers
        self._read = read
        self.closed = threading.Event()

    def receive(self, message: bytes) -> None:
        self._read.append(message)
        if message == b"refuse":
            raise QueueFullError("too much", retry_after_s=2.0)
        self._answers.put(message)

    def end(self) -> None:
        self._answers.put(b"end")
        self._answers.end()

    def close(self) -> None:
        self.closed.set()


class House:
    """A transport with a few methods, and what is known of it."""

    def __init__(self, name: str) -> None:
        self.gate = Everyone()
        self.observer = Observer()
        self.read: list[bytes] = []
        self.sessions: list[Echo] = []
        self.calls: list[Call] = []
        self.may_finish = threading.Event()
        self.began = threading.Event()
        self.dispatcher = Dispatcher(gate=self.gate, observers=[self.observer], threads=2, max_streams=2)
        self.dispatcher.offer(
            [
                UnaryMethod(path="/t.T/Echo", decode=bytes, handle=self.echo, encode=bytes),
                UnaryMethod(path="/t.T/Fail", decode=bytes, handle=self.fail, encode=bytes),
                UnaryMethod(path="/t.T/Slow", decode=bytes, handle=self.slow, encode=bytes, in_thread=True),
                StreamMethod(path="/t.T/Chat", decode=bytes, open=self.chat, encode=bytes),
            ]
        )
        batcher = Batcher(BatcherSettings(), observer=self.observer)
        self.transport: Transport = open_transport(
            name, self.dispatcher, batcher, options=(("grpc.so_reuseport", 0),), stream_window=4, threads=8
        )
        self.port = self.transport.bind("127.0.0.1:0", None)

    def echo(self, data: bytes, call: Call) -> bytes:
        self.calls.append(call)
        return data

    def fail(self, data: bytes, call: Call) -> bytes:
        raise RuntimeError("a secret of the house")

    def slow(self, data: bytes, call: Call) -> bytes:
        self.calls.append(call)
        self.began.set()
        assert self.may_finish.wait(WAIT_S)
        return data

    def chat(self, call: Call, answers: Answers) -> Echo:
        self.sessions.append(Echo(answers, self.read))
        return self.sessions[-1]


@pytest.fixture(params=["completion-queue", "threads"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    built = House(request.param)
    built.transport.start()
    yield built
    built.may_finish.set()
    built.transport.stop(0.5)


@pytest.fixture
def channel(house: House) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{house.port}") as opened:
        yield opened


def test_every_caller_gets_its_own_answer(channel: grpc.Channel) -> None:
    echo = channel.unary_unary("/t.T/Echo")
    messages = [str(number).encode() * number for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda message: echo(message, timeout=WAIT_S), messages)) == messages


def test_a_caller_gets_its_request_id_back_and_others_none(house: House, channel: grpc.Channel) -> None:
    echo = channel.unary_unary("/t.T/Echo")
    _, call = echo.with_call(b"x", metadata=(("x-request-id", "mine"), ("other", "1")), timeout=WAIT_S)
    assert dict(call.trailing_metadata())["x-request-id"] == "mine"
    _, call = echo.with_call(b"x", metadata=(("x-request-id", "not one!"),), timeout=WAIT_S)
    assert dict(call.trailing_metadata()).get("x-request-id") != "not one!"
    assert house.gate.metadata[0]["other"] == "1"


def test_the_deadline_of_a_call_is_known(house: House, channel: grpc.Channel) -> None:
    echo = channel.unary_unary("/t.T/Echo")
    echo(b"x", timeout=5.0)
    echo(b"x")
    assert house.calls[0].deadline - time.monotonic() == pytest.approx(5.0, abs=1.0)
    assert house.calls[1].deadline - time.monotonic() > 1e6


def test_methods_that_are_not_offered_are_unimplemented(channel: grpc.Channel) -> None:
    for path in ("/t.T/Nothing", "/nowhere/Nothing"):
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(path)(b"x", timeout=WAIT_S)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_bug_is_internal_and_only_the_log_tells(channel: grpc.Channel, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/t.T/Fail")(b"x", timeout=WAIT_S)
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in failed.value.details()
    assert "a secret of the house" in caplog.text
    assert failed.value.details().rsplit(maxsplit=1)[-1] in caplog.text


def test_a_caller_who_cancels_is_noticed(house: House, channel: grpc.Channel) -> None:
    under_way = channel.unary_unary("/t.T/Slow").future(b"x", timeout=WAIT_S)
    assert house.began.wait(WAIT_S)
    under_way.cancel()
    end = time.monotonic() + WAIT_S
    while not house.calls[0].cancelled and time.monotonic() < end:
        time.sleep(0.01)
    assert house.calls[0].cancelled
    assert house.calls[0].is_over


def test_streams_answer_in_order_and_end_when_told(channel: grpc.Channel) -> None:
    messages = [str(number).encode() for number in range(50)]
    assert list(channel.stream_stream("/t.T/Chat")(iter(messages), timeout=WAIT_S)) == [*messages, b"end"]


def test_a_stream_ends_with_an_error_after_the_answers_before_it(house: House, channel: grpc.Channel) -> None:
    answers = channel.stream_stream("/t.T/Chat")(iter([b"a", b"b", b"refuse", b"c"]), timeout=WAIT_S)
    got: list[bytes] = []
    with pytest.raises(grpc.RpcError) as refused:
        got.extend(answers)  # type: ignore[arg-type]
    assert got == [b"a", b"b"] or got == []  # extend keeps nothing of an iterator that fails
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert house.sessions[0].closed.wait(WAIT_S)


def test_a_stream_that_is_not_taken_is_not_read_on(house: House, channel: grpc.Channel) -> None:
    big = b"x" * 200_000
    sent: list[int] = []
    stop = threading.Event()

    def camera() -> Iterator[bytes]:
        for number in range(2_000):
            if stop.is_set():
                return
            sent.append(number)
            yield big

    answers = channel.stream_stream("/t.T/Chat")(camera(), timeout=WAIT_S)
    previous = -1
    while len(house.read) != previous:
        previous = len(house.read)
        time.sleep(0.3)
    # What is under way is bounded by windows and buffers, not by how much there is to send.
    assert 0 < len(house.read) < 200
    next(answers)
    stop.set()
    answers.cancel()
    assert house.sessions[0].closed.wait(WAIT_S)


def test_one_stream_too_many_is_refused(house: House, channel: grpc.Channel) -> None:
    stop = threading.Event()

    def camera() -> Iterator[bytes]:
        yield b"a"
        stop.wait(WAIT_S)

    chat = channel.stream_stream("/t.T/Chat")
    first = [chat(camera(), timeout=WAIT_S) for _ in range(2)]
    for one in first:
        assert next(one) == b"a"
    with pytest.raises(grpc.RpcError) as refused:
        list(chat(iter([b"a"]), timeout=WAIT_S))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    stop.set()
    for one in first:
        assert list(one) == [b"end"]
    assert house.dispatcher.open_streams == 0


def test_stopping_finishes_what_is_under_way(house: House, channel: grpc.Channel) -> None:
    under_way = channel.unary_unary("/t.T/Slow").future(b"x", timeout=WAIT_S)
    assert house.began.wait(WAIT_S)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(house.transport.stop, WAIT_S)
        with contextlib.suppress(TimeoutError):
            stopping.result(0.2)
        assert not stopping.done()
        house.may_finish.set()
        assert under_way.result(WAIT_S) == b"x"
        assert stopping.result(WAIT_S) is True


def test_what_takes_too_long_is_cancelled(house: House, channel: grpc.Channel) -> None:
    under_way = channel.unary_unary("/t.T/Slow").future(b"x", timeout=WAIT_S)
    assert house.began.wait(WAIT_S)
    assert house.transport.stop(0.1) is False
    assert under_way.exception(WAIT_S) is not None
    # The thread finishes later, when there is nobody left to answer; that must not hurt.
    house.may_finish.set()


def test_a_port_that_is_taken_is_not_bound(house: House) -> None:
    other = House("threads")
    assert other.transport.bind(f"127.0.0.1:{house.port}", None) == 0
