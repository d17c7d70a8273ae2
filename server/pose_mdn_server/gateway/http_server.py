"""An HTTP/1.1 server on asyncio's transports: accepts connections, reads requests, has them answered."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pose_mdn_server.gateway.budget import Budget
from pose_mdn_server.gateway.connection import READ_BYTES, Connection
from pose_mdn_server.gateway.http_errors import ConnectionGoneError, HttpError, MalformedRequestError
from pose_mdn_server.gateway.request_head import RequestHead
from pose_mdn_server.gateway.responses import Response, encode_chunk, encode_head, json_response

HANDSHAKE_S = 10.0

_LOG = logging.getLogger(__name__)
_RETRY_ACCEPT_S = 0.2


class Request:
    """A request whose body is read when it is asked for."""

    def __init__(self, head: RequestHead, connection: Connection, *, peer: str, secure: bool, limit: int) -> None:
        self.head = head
        self.peer = peer
        self.secure = secure
        self.was_read = asyncio.Event()
        self._connection = connection
        self._limit = limit
        if head.length == 0:
            self.was_read.set()

    async def body(self) -> bytes:
        """The body; may be asked for once."""
        if self.head.length == 0:
            return b""
        body = await self._connection.read_body(self.head, self._limit)
        self.was_read.set()
        return body


Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """What a client may ask of the server.

    Attributes:
        head_bytes: Longest head of a request.
        body_bytes: Longest body.
        held_bytes: Longest bodies of all connections together.
        connections: Connections at the same time.
    """

    head_bytes: int
    body_bytes: int
    held_bytes: int
    connections: int


@dataclass(kw_only=True)
class _Guest:
    """Who is connected, or about to be."""

    accepted: socket.socket
    peer: str
    connection: Connection | None = None
    is_leaving: bool = False

    @property
    def is_waiting(self) -> bool:
        return self.connection is None or self.connection.is_waiting


class HttpServer:
    """Serves a listening socket.

    `handle` answers requests and never sees one that is not whole HTTP. `tls` gives the certificate of each connection
    as it comes.
    """

    def __init__(self, handle: Handler, limits: HttpLimits, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._handle = handle
        self._limits = limits
        self._tls = tls
        self._budget = Budget(limits.held_bytes, "bytes of requests")
        self._guests: dict[asyncio.Task[None], _Guest] = {}
        self._accepting: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None
        self._draining = False

    def start(self, listener: socket.socket) -> None:
        """Accept connections; must be called inside the event loop."""
        listener.setblocking(False)
        self._listener = listener
        self._accepting = asyncio.create_task(self._accept(listener))

    async def drain(self, seconds: float) -> bool:
        """Take no more requests, let those under way finish. True if all of them did in time."""
        self._draining = True
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for task, guest in self._guests.items():
            if guest.is_waiting:
                task.cancel()
        if not self._guests:
            return True
        _, late = await asyncio.wait(self._guests, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return not late

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except OSError as error:  # as many files open as there may be; some will be closed
                _LOG.warning("cannot accept a connection: %s", error.strerror)
                await asyncio.sleep(_RETRY_ACCEPT_S)
                continue
            if len(self._guests) >= self._limits.connections and not self._evict():
                accepted.close()
                continue
            guest = _Guest(accepted=accepted, peer=str(address[0]) if address else "")
            task = asyncio.create_task(self._serve(guest))
            self._guests[task] = guest
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        guest = self._guests.pop(task, None)
        if guest is not None and guest.connection is None:
            guest.accepted.close()
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("a connection failed", exc_info=task.exception())

    def _evict(self) -> bool:
        """End the oldest connection that has no request under way, so that idle ones cannot keep others out."""
        for task, guest in self._guests.items():
            if guest.is_waiting and not guest.is_leaving:
                guest.is_leaving = True
                task.cancel()
                return True
        return False

    async def _serve(self, guest: "_Guest") -> None:
        accepted = guest.accepted
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(READ_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            if accepted.family != socket.AF_UNIX:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=None if self._tls is None else self._tls(),
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_S,
            )
        except (OSError, TimeoutError):
            return  # no handshake
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        connection = Connection(reader, writer, max_head_bytes=self._limits.head_bytes, budget=self._budget)
        guest.connection = connection
        try:
            with contextlib.suppress(ConnectionGoneError):
                while await self._exchange(connection, guest.peer) and not self._draining:
                    connection.let_go_of_body()
        except BaseException:
            connection.abort()
            raise
        finally:
            await connection.close()

    async def _exchange(self, connection: Connection, peer: str) -> bool:
        """Answer the next request. True if another may follow."""
        try:
            head = await connection.read_head()
        except MalformedRequestError as error:
            await self._write(connection, _refusal(error), closes=True)
            await connection.linger()
            return False
        request = Request(head, connection, peer=peer, secure=self._tls is not None, limit=self._limits.body_bytes)
        answering = asyncio.create_task(self._answer(request, connection))
        watching = asyncio.create_task(_watch(request, connection))
        try:
            await asyncio.wait((answering, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            unfinished = [task for task in (answering, watching) if not task.done()]
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished)
        if answering.cancelled():
            raise ConnectionGoneError
        return answering.result()

    async def _answer(self, request: Request, connection: Connection) -> bool:
        try:
            response = await self._handle(request)
        except HttpError as error:
            response = _refusal(error)
        except ConnectionGoneError:
            raise
        except Exception:  # the edge of the program: whatever happened, the client learns no more than that
            _LOG.exception("%s %s failed", request.head.method, request.head.path)
            response = json_response(500, {"code": "internal", "message": "the server failed; its log has the reason"})
        was_read = request.was_read.is_set()
        closes = response.closes or not request.head.keeps_alive or not was_read or self._draining
        await self._write(connection, response, closes=closes, without_body=request.head.method == "HEAD")
        if not was_read:
            await connection.linger()
        return not closes

    async def _write(
        self, connection: Connection, response: Response, *, closes: bool, without_body: bool = False
    ) -> None:
        body = response.body
        if isinstance(body, bytes):
            head = encode_head(response, closes=closes, chunked=False)
            await connection.write(head if without_body else head + body)
            return
        try:
            await connection.write(encode_head(response, closes=closes, chunked=True))
            async for piece in body:
                if piece:
                    await connection.write(encode_chunk(piece))
            await connection.write(encode_chunk(b""))
        finally:
            await body.close()


async def _watch(request: Request, connection: Connection) -> None:
    await request.was_read.wait()
    await connection.watch()
    if request.head.method != "POST":
        await asyncio.Event().wait()  # who has said all there is to say may still read; only calls are worth cancelling


def _refusal(error: HttpError) -> Response:
    closes = isinstance(error, MalformedRequestError)
    content = {"code": _CODES.get(error.status, "unknown"), "message": error.text}
    return json_response(error.status, content, error.headers, closes=closes)


_CODES = {
    400: "invalid_argument",
    403: "permission_denied",
    404: "unimplemented",
    405: "unimplemented",
    408: "deadline_exceeded",
    413: "resource_exhausted",
    414: "invalid_argument",
    415: "unimplemented",
    417: "invalid_argument",
    431: "resource_exhausted",
    501: "unimplemented",
    503: "unavailable",
    505: "unimplemented",
}
