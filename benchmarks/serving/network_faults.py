"""Faults of peers on the network: garbage, connections that never go on, readers that never read, absurd claims."""

import random
import resource
import socket
import threading
import time
from collections.abc import Iterator

import http2_frames as h2
from accounts import judged
from fault_setting import FaultSettings, Outcome, after, close_all, mib, under_load
from prepared_requests import INFER, LIFT, LIFT_STREAM, framed, infer_message, people, stream_messages
from process_tree import descriptors, resident_bytes
from real_client import channel
from served import Served, wait_until

HALF_OPEN = 2000
SLOW_STREAMS = 32
STREAMED_POSES = 16
CLOSED_WINDOWS = 64
CLAIMED_BYTES = 2**31 - 1
MEMORY_ALLOWED_MIB = 200.0
SETTLE_S = 15.0


def garbage(settings: FaultSettings) -> Outcome:
    """Random bytes, HTTP/1, TLS greetings and broken frames on the port, from many connections."""
    rng = random.Random(settings.seed)
    sent = 0
    with under_load(settings) as (served, running):
        end = time.monotonic() + settings.seconds
        while time.monotonic() < end:
            try:
                with h2.connect(served.address) as connection:
                    connection.sendall(_garbage(rng))
                    connection.settimeout(0.2)
                    connection.recv(4096)
            except OSError:
                pass  # the server closes on such callers, which is right
            sent += 1
        account = running.finish()
        failures = judged(account) + after(served)
    return Outcome(
        scenario="garbage on the port", account=account, failures=failures, notes=(f"{sent} connections of garbage",)
    )


def _garbage(rng: random.Random) -> bytes:
    noise = rng.randbytes(rng.randrange(1, 3000))
    return rng.choice(
        (
            noise,
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise,
            h2.PREFACE + noise,
            h2.PREFACE + h2.settings() + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, noise[:1000]),
            h2.PREFACE
            + h2.settings()
            + h2.frame(rng.randrange(256), rng.randrange(256), rng.randrange(9), noise[:500]),
        )
    )


def half_open(settings: FaultSettings) -> Outcome:
    """Thousands of connections that send the preface and nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * HALF_OPEN)), hard))
    opened: list[socket.socket] = []
    with under_load(settings) as (served, running):
        memory = _memory(served)
        files = sum(descriptors(served.pid).values())
        for _ in range(HALF_OPEN):
            try:
                connection = h2.connect(served.address)
                opened.append(connection)
                connection.sendall(h2.PREFACE)
            except OSError:
                continue
        grown = mib(_memory(served) - memory)
        time.sleep(settings.seconds / 2)
        meanwhile = after(served)
        account = running.finish()
        close_all(opened)
        settled = wait_until(lambda: sum(descriptors(served.pid).values()) <= files + 50, SETTLE_S)
        failures = judged(account) + meanwhile + after(served)
        if not settled:
            failures += (f"descriptors stay open: {files} before, {sum(descriptors(served.pid).values())} after",)
    note = f"{len(opened)} connections, {grown:.0f} MiB more while they were open"
    return Outcome(scenario="half-open connections", account=account, failures=failures, notes=(note,))


def slow_streams(settings: FaultSettings) -> Outcome:
    """Streams that send as fast as they may and never read an answer: the server must stop reading them."""
    messages = stream_messages(people(4 * STREAMED_POSES, settings.seed), poses_each=STREAMED_POSES)
    over = threading.Event()

    def endless() -> Iterator[bytes]:
        yield messages[0]
        while not over.is_set():
            yield from messages[1:]

    with under_load(settings) as (served, running):
        time.sleep(1)
        memory = _memory(served)
        connections = [channel(served.address) for _ in range(SLOW_STREAMS)]
        calls = [connection.stream_stream(LIFT_STREAM)(endless()) for connection in connections]
        grown = _peak_growth(served, memory, settings.seconds)
        account = running.finish()
        over.set()
        for call in calls:
            call.cancel()
        for connection in connections:
            connection.close()
        failures = judged(account) + after(served)
    if grown > MEMORY_ALLOWED_MIB:
        failures += (f"expected at most {MEMORY_ALLOWED_MIB:g} MiB more, got {grown:.0f}",)
    note = f"{SLOW_STREAMS} streams of {STREAMED_POSES} poses a message, {grown:.0f} MiB more at most"
    return Outcome(scenario="streams that are not read", account=account, failures=failures, notes=(note,))


def closed_windows(settings: FaultSettings) -> Outcome:
    """Calls from clients whose windows stay closed: their answers must wait, and nobody else for them."""
    body = framed(infer_message(people(64, settings.seed)))
    calls = b"".join(h2.call(INFER, body, stream=stream) for stream in (1, 3, 5))
    opened: list[socket.socket] = []
    with under_load(settings) as (served, running):
        time.sleep(1)
        memory = _memory(served)
        for _ in range(CLOSED_WINDOWS):
            connection = h2.connect(served.address)
            opened.append(connection)
            connection.sendall(h2.PREFACE + h2.settings({h2.INITIAL_WINDOW_SIZE: 0}) + calls)
        grown = _peak_growth(served, memory, settings.seconds)
        account = running.finish()
        close_all(opened)
        failures = judged(account) + after(served)
    if grown > MEMORY_ALLOWED_MIB:
        failures += (f"expected at most {MEMORY_ALLOWED_MIB:g} MiB more, got {grown:.0f}",)
    note = f"{3 * CLOSED_WINDOWS} answers of 117 kB not taken, {grown:.0f} MiB more at most"
    return Outcome(scenario="windows that stay closed", account=account, failures=failures, notes=(note,))


def huge_claims(settings: FaultSettings) -> Outcome:
    """Messages that claim to be of 2 GB, or to be compressed: refused or cut off, without room being made for them."""
    ends: dict[str, int] = {}
    with under_load(settings) as (served, running):
        time.sleep(1)
        memory = _memory(served)
        end = time.monotonic() + settings.seconds / 2
        while time.monotonic() < end:
            for claim in (CLAIMED_BYTES, 2**32 - 1, 64 * 1024 * 1024 + 1):
                for method in (INFER, LIFT, LIFT_STREAM):
                    how = _claim(served, method, claim)
                    ends[how] = ends.get(how, 0) + 1
        grown = mib(_memory(served) - memory)
        account = running.finish()
        failures = judged(account) + after(served)
    if grown > MEMORY_ALLOWED_MIB:
        failures += (f"expected at most {MEMORY_ALLOWED_MIB:g} MiB more, got {grown:.0f}",)
    if ends.get("silent"):
        failures += (f"{ends['silent']} claims without any answer",)
    note = f"how they ended: {ends}; {grown:.0f} MiB more"
    return Outcome(scenario="claims of 2 GB", account=account, failures=failures, notes=(note,))


def _claim(served: Served, method: str, claimed_bytes: int) -> str:
    with h2.connect(served.address) as connection:
        body = b"\0" + claimed_bytes.to_bytes(4, "big") + bytes(1000)
        connection.sendall(h2.PREFACE + h2.settings() + h2.call(method, body))
        return h2.ends_or_closes(connection, 5.0)


def _memory(served: Served) -> int:
    return sum(resident_bytes(served.pid).values())


def _peak_growth(served: Served, before: int, seconds: float) -> float:
    """Largest growth of resident memory over so long, MiB."""
    peak = before
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        peak = max(peak, _memory(served))
        time.sleep(0.2)
    return mib(peak - before)
