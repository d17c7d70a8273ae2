"""HTTP/2 written by hand, so that it can be written wrongly: frames, headers, gRPC calls over a raw socket."""

import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
INITIAL_WINDOW_SIZE = 0x4
MAX_FRAME = 16_384


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame: 24 bits of length, type, flags, 31 bits of stream, payload (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def settings(values: dict[int, int] | None = None) -> bytes:
    """A SETTINGS frame."""
    return frame(
        SETTINGS, 0, 0, b"".join(k.to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in (values or {}).items())
    )


def _hpack_text(text: bytes) -> bytes:
    length = len(text)
    if length < 127:
        return bytes((length,)) + text
    # Lengths of seven bits and more follow in groups of seven (RFC 7541, section 5.1).
    rest, encoded = length - 127, bytearray((127,))
    while rest >= 128:
        encoded.append(rest % 128 + 128)
        rest //= 128
    encoded.append(rest)
    return bytes(encoded) + text


def hpack(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as literals without indexing, not compressed (RFC 7541, section 6.2.2)."""
    return b"".join(b"\0" + _hpack_text(name) + _hpack_text(value) for name, value in headers)


def call_headers(method: str, extra: Iterable[tuple[bytes, bytes]] = ()) -> list[tuple[bytes, bytes]]:
    """Headers of a gRPC call."""
    return [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", method.encode()),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
        *extra,
    ]


def call(method: str, body: bytes, *, stream: int = 1, extra: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Frames of a whole unary call; the body is already framed as gRPC does."""
    parts = [body[start : start + MAX_FRAME] for start in range(0, len(body), MAX_FRAME)] or [b""]
    frames = [frame(HEADERS, END_HEADERS, stream, hpack(call_headers(method, extra)))]
    frames += [frame(DATA, END_STREAM if part is parts[-1] else 0, stream, part) for part in parts]
    return b"".join(frames)


def connect(address: str, timeout_s: float = 5.0) -> socket.socket:
    """A raw connection."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=timeout_s)


@dataclass(frozen=True, kw_only=True)
class Received:
    """A frame that came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def read_frames(connection: socket.socket, seconds: float) -> Iterator[Received]:
    """Frames as they come, until the peer closes or time is up."""
    buffer = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection.settimeout(max(end - time.monotonic(), 0.01))
        try:
            part = connection.recv(65_536)
        except TimeoutError:
            return
        except OSError:
            part = b""
        if not part:
            return
        buffer += part
        while len(buffer) >= 9 and len(buffer) >= 9 + (length := int.from_bytes(buffer[:3], "big")):
            yield Received(
                kind=buffer[3],
                flags=buffer[4],
                stream=int.from_bytes(buffer[5:9], "big") & 0x7FFFFFFF,
                payload=buffer[9 : 9 + length],
            )
            buffer = buffer[9 + length :]


def ends_or_closes(connection: socket.socket, seconds: float) -> str:
    """How a server ends what was sent: "status", "reset", "goaway", "closed"; "silent" if it does nothing in time."""
    began = time.monotonic()
    for received in read_frames(connection, seconds):
        if received.kind == HEADERS and received.flags & END_STREAM:
            return "status"
        if received.kind == RST_STREAM:
            return "reset"
        if received.kind == GOAWAY:
            return "goaway"
    return "silent" if time.monotonic() - began >= seconds * 0.95 else "closed"
