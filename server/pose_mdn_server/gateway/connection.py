"""One client's connection: bytes in with bounds on size and time, bytes out no faster than they are taken."""

import asyncio
import time

from pose_mdn_server.gateway.budget import Budget
from pose_mdn_server.gateway.http_errors import ConnectionGoneError, HttpError, MalformedRequestError
from pose_mdn_server.gateway.request_head import RequestHead, parse_head

IDLE_S = 60.0
"""How long a connection may wait for its next request."""
HEAD_S = 10.0
"""How long the head of a request may take from its first byte."""
BODY_GRACE_S = 10.0
BODY_BYTES_PER_S = 128 * 1024
"""A body has the grace, and longer as long as it comes at least this fast."""
WRITE_S = 30.0
"""How long a client may take nothing of an answer."""
LINGER_S = 1.0
"""How long what a client still sends is read and thrown away, so that it sees the answer before the connection ends."""

READ_BYTES = 64 * 1024
_MAX_CHUNK_LINE_BYTES = 256
_MAX_TRAILER_BYTES = 8 * 1024
_MAX_AHEAD_BYTES = 64 * 1024
_MAX_LINGER_BYTES = 4 * 1024 * 1024


class Connection:
    """Reads requests from a connection and writes to it. `is_waiting` while there is no whole request."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, max_head_bytes: int, budget: Budget
    ) -> None:
        self.is_waiting = True
        self._reader = reader
        self._writer = writer
        self._max_head_bytes = max_head_bytes
        self._budget = budget
        self._held = 0
        self._buffer = bytearray()

    async def read_head(self) -> RequestHead:
        """Next request's head.

        Raises:
            ConnectionGoneError: No request came, or not in time.
            MalformedRequestError: It is none, or its head is too long.
        """
        self.is_waiting = True
        if not self._buffer:
            await self._fill(IDLE_S)
        deadline = time.monotonic() + HEAD_S
        searched = 0
        while True:
            while self._buffer.startswith(b"\r\n"):
                del self._buffer[:2]  # what some old clients send after a body (RFC 9112, 2.2)
            end = self._buffer.find(b"\r\n\r\n", max(0, searched - 3))
            if end > self._max_head_bytes or (end < 0 and len(self._buffer) > self._max_head_bytes):
                raise MalformedRequestError(431, f"expected at most {self._max_head_bytes} bytes of headers")
            if end >= 0:
                break
            searched = len(self._buffer)
            await self._fill(deadline - time.monotonic())
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        self.is_waiting = False
        return parse_head(head)

    async def read_body(self, head: RequestHead, limit: int) -> bytes:
        """Body of the request whose head was read last.

        Raises:
            HttpError: It is longer than `limit`, or there is no room for it.
            MalformedRequestError: Its chunks are none.
            ConnectionGoneError: It ended too early or came too slowly.
        """
        if head.length is not None and head.length > limit:
            raise HttpError(413, f"expected at most {limit} bytes, got {head.length}; send fewer poses at a time")
        if head.expects_continue and not self._buffer:
            await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        started = time.monotonic()
        if head.length is not None:
            await self._read_into(body, head.length, started)
            return bytes(body)
        while size := await self._read_chunk_size(len(body), started):
            if len(body) + size > limit:
                raise HttpError(413, f"expected at most {limit} bytes; send fewer poses at a time")
            await self._read_into(body, len(body) + size, started)
            if await self._read_line(2, len(body), started):
                raise MalformedRequestError(400, "expected CR LF after each chunk")
        left = _MAX_TRAILER_BYTES
        while line := await self._read_line(left, len(body), started):
            left -= len(line)
        return bytes(body)

    def let_go_of_body(self) -> None:
        """Say that the bodies that were read are no longer held."""
        self._budget.give_back(self._held)
        self._held = 0

    async def watch(self) -> None:
        """Return when the other side has gone. What it sends meanwhile, the next requests, is kept."""
        while len(self._buffer) < _MAX_AHEAD_BYTES:
            try:
                data = await self._reader.read(READ_BYTES)
            except OSError:
                return
            if not data:
                return
            self._buffer += data
        await asyncio.Event().wait()  # a client that sends so far ahead is told nothing until it is answered

    async def write(self, data: bytes) -> None:
        """Write, and wait until most of it is taken.

        Raises:
            ConnectionGoneError: The other side has gone or takes nothing.
        """
        try:
            for start in range(0, len(data), READ_BYTES):
                self._writer.write(data[start : start + READ_BYTES] if len(data) > READ_BYTES else data)
                async with asyncio.timeout(WRITE_S):
                    await self._writer.drain()
        except (OSError, TimeoutError):
            raise ConnectionGoneError from None

    async def linger(self) -> None:
        """Let the other side read what was written although it may still be sending."""
        try:
            async with asyncio.timeout(LINGER_S):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                left = _MAX_LINGER_BYTES
                while left > 0 and (data := await self._reader.read(READ_BYTES)):
                    left -= len(data)
        except (OSError, TimeoutError):
            return

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """End the connection; what was written still goes out, if it is taken in time."""
        self.let_go_of_body()
        self._writer.close()
        try:
            async with asyncio.timeout(LINGER_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self.abort()

    async def _fill(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                data = await self._reader.read(READ_BYTES)
        except (OSError, TimeoutError):
            raise ConnectionGoneError from None
        if not data:
            raise ConnectionGoneError
        self._buffer += data

    async def _fill_body(self, received: int, started: float) -> None:
        await self._fill(started + BODY_GRACE_S + received / BODY_BYTES_PER_S - time.monotonic())

    async def _read_into(self, body: bytearray, length: int, started: float) -> None:
        """Append bytes until there are `length`; memory is taken as they come, not as they are announced."""
        while missing := length - len(body):
            if not self._buffer:
                await self._fill_body(len(body), started)
            piece = self._buffer[:missing]
            self._budget.take(len(piece))
            self._held += len(piece)
            body += piece
            del self._buffer[:missing]

    async def _read_chunk_size(self, received: int, started: float) -> int:
        line = await self._read_line(_MAX_CHUNK_LINE_BYTES, received, started)
        digits = line.partition(b";")[0].strip(b" \t")
        if not 1 <= len(digits) <= 8 or digits.strip(b"0123456789abcdefABCDEF"):
            raise MalformedRequestError(400, "expected the size of a chunk in hexadecimal digits")
        return int(digits, 16)

    async def _read_line(self, limit: int, received: int, started: float) -> bytes:
        while (end := self._buffer.find(b"\r\n", 0, limit + 2)) < 0:
            if len(self._buffer) >= limit + 2:
                raise MalformedRequestError(400, f"expected a line of at most {limit} bytes that ends with CR LF")
            await self._fill_body(received, started)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line
