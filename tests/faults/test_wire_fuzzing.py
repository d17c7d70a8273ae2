"""Whatever comes over a connection, the server ends it or answers with a status, and serves everybody else."""

import http2_frames as h2
import pytest
from healthy import is_healthy
from hypothesis import given, settings
from hypothesis import strategies as st
from prepared_requests import INFER, LIFT, LIFT_STREAM, framed, infer_message, people
from process_tree import descriptors, resident_bytes
from served import Served, wait_until

FUZZED = settings(max_examples=25, deadline=None)
ENDS = {"status", "reset", "goaway", "closed"}
METHODS = st.sampled_from([INFER, LIFT, LIFT_STREAM, "/grpc.health.v1.Health/Check", "/no.Such/Method", "nonsense", ""])
MANY = 200
ALLOWED_MIB = 64
SETTLE_S = 10.0
BODY = framed(infer_message(people(1, seed=3)))

frames = st.builds(
    h2.frame,
    st.one_of(st.integers(0, 9), st.integers(0, 255)),
    st.integers(0, 255),
    st.one_of(st.integers(0, 7), st.integers(0, 2**32 - 1)),
    st.binary(max_size=300),
)
metadata = st.lists(
    st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=60)).filter(lambda pair: pair[0][:1] != b":"),
    max_size=6,
)


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """Bytes with a few places overwritten, cut out or doubled."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        piece = draw(st.binary(min_size=1, max_size=8))
        end = {"over": place + len(piece), "in": place, "out": place + draw(st.integers(1, 30))}
        how = draw(st.sampled_from(sorted(end)))
        data[place : end[how]] = b"" if how == "out" else piece
    return bytes(data)


def send(served: Served, data: bytes, wait_s: float = 0.02) -> str:
    """Send bytes over a connection of its own; how the server took them, as far as it said so."""
    try:
        with h2.connect(served.address) as connection:
            connection.sendall(data)
            return h2.ends_or_closes(connection, wait_s)
    except (ConnectionError, TimeoutError):
        return "closed"


@pytest.fixture(autouse=True)
def still_serves(attacked: Served):
    yield
    assert attacked.process.poll() is None
    assert is_healthy(attacked.address) == ""


@FUZZED
@given(data=st.binary(max_size=2000), greets=st.booleans())
def test_bytes_without_sense(attacked: Served, data: bytes, greets: bool) -> None:
    send(attacked, (h2.PREFACE if greets else b"") + data)
    assert attacked.process.poll() is None


@FUZZED
@given(several=st.lists(frames, min_size=1, max_size=8))
def test_frames_without_sense(attacked: Served, several: list[bytes]) -> None:
    send(attacked, h2.PREFACE + h2.settings() + b"".join(several))
    assert attacked.process.poll() is None


@FUZZED
@given(data=mutated(h2.PREFACE + h2.settings() + h2.call(INFER, BODY)))
def test_a_call_with_damaged_frames(attacked: Served, data: bytes) -> None:
    send(attacked, data)
    assert attacked.process.poll() is None


@FUZZED
@given(
    method=METHODS,
    prefix=st.tuples(
        st.integers(0, 255), st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 100), st.just(len(BODY) - 5))
    ),
    message=st.one_of(st.binary(max_size=200), st.just(BODY[5:])),
    extra=metadata,
)
def test_a_call_with_any_body_ends(
    attacked: Served, method: str, prefix: tuple[int, int], message: bytes, extra: list[tuple[bytes, bytes]]
) -> None:
    is_compressed, claimed_bytes = prefix
    body = bytes((is_compressed,)) + claimed_bytes.to_bytes(4, "big") + message
    assert send(attacked, h2.PREFACE + h2.settings() + h2.call(method, body, extra=extra), wait_s=10) in ENDS


@FUZZED
@given(several=st.lists(st.tuples(METHODS, st.binary(max_size=100)), min_size=1, max_size=5))
def test_several_calls_on_one_connection_do_not_stick(attacked: Served, several: list[tuple[str, bytes]]) -> None:
    calls = [h2.call(method, body, stream=2 * index + 1) for index, (method, body) in enumerate(several)]
    right = h2.call(INFER, BODY, stream=2 * len(several) + 1)
    assert send(attacked, h2.PREFACE + h2.settings() + b"".join(calls) + right, wait_s=10) in ENDS


def test_attacks_leave_nothing_behind(attacked: Served) -> None:
    def attack() -> None:
        for number in range(MANY):
            send(attacked, h2.PREFACE + h2.settings() + h2.call(INFER, BODY[: number % len(BODY)]), wait_s=0.005)
            send(attacked, h2.PREFACE + number.to_bytes(4, "big") * 100, wait_s=0.005)

    attack()
    files, memory = sum(descriptors(attacked.pid).values()), sum(resident_bytes(attacked.pid).values())
    attack()
    assert wait_until(lambda: sum(descriptors(attacked.pid).values()) <= files + 5, SETTLE_S)
    assert sum(resident_bytes(attacked.pid).values()) < memory + ALLOWED_MIB * 1024**2
