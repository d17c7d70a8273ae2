"""HTTP/2 frames by hand, for what no well-behaved client would send (RFC 9113; header literals of RFC 7541)."""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
INITIAL_WINDOW_SIZE = 4
MAX_CONCURRENT_STREAMS = 3
MAX_FRAME = 16384


def literal(name: bytes, value: bytes) -> bytes:
    """A header that is neither indexed nor compressed."""
    return b"\x00" + _length(name) + name + _length(value) + value


def _length(text: bytes) -> bytes:
    """Length of a string: an integer with a prefix of seven bits."""
    if len(text) < 127:
        return bytes([len(text)])
    rest, coded = len(text) - 127, bytearray(b"\x7f")
    while rest >= 128:
        coded.append(rest % 128 + 128)
        rest //= 128
    return bytes(coded) + bytes([rest])


class RawConnection:
    """A connection on which frames are sent as they are given."""

    def __init__(self, port: int, *, handshake: bool = True, timeout_s: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._buffer = b""
        self.settings: dict[int, int] = {}
        self.grants: dict[int, int] = {}
        self._polite = handshake
        if handshake:
            self.send(PREFACE, frame(SETTINGS))

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def open_call(self, stream: int, path: bytes = b"/test/Echo", extra: bytes = b"") -> None:
        headers = b"".join(
            literal(name, value)
            for name, value in (
                (b":method", b"POST"),
                (b":scheme", b"http"),
                (b":path", path),
                (b":authority", b"test"),
                (b"content-type", b"application/grpc"),
                (b"te", b"trailers"),  # codespell:ignore te
            )
        )
        self.send(frame(HEADERS, headers + extra, flags=END_HEADERS, stream=stream))

    def window(self, stream: int) -> int:
        """Octets of DATA that the other end has allowed so far, on a stream and on the connection."""
        of_stream = self.settings.get(INITIAL_WINDOW_SIZE, 65535) + self.grants.get(stream, 0)
        return min(of_stream, 65535 + self.grants.get(0, 0))

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, flags, stream and payload of each frame that comes, until the other end closes."""
        while True:
            head = self._take(9)
            if head is None:
                return
            length, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], head[5:]
            payload = self._take(length)
            if payload is None:
                return
            number = struct.unpack(">I", stream)[0] & 0x7FFFFFFF
            if kind == WINDOW_UPDATE:
                self.grants[number] = self.grants.get(number, 0) + struct.unpack(">I", payload)[0]
            if kind == SETTINGS and not flags & ACK:
                self.settings.update(struct.iter_unpack(">HI", payload))
            if self._polite and kind == SETTINGS and not flags & ACK:
                with suppress(OSError):
                    self.send(frame(SETTINGS, flags=ACK))
            yield kind, flags, number, payload

    def close(self) -> None:
        self.socket.close()

    def _take(self, length: int) -> bytes | None:
        while len(self._buffer) < length:
            try:
                got = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not got:
                return None
            self._buffer += got
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream) + payload
