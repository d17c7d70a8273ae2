"""What goes back over HTTP."""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from inspect import isawaitable

Headers = tuple[tuple[str, str], ...]

JSON_TYPE = "application/json"

_REASONS = {status.value: status.phrase for status in HTTPStatus} | {499: "Client Closed Request"}
_SAFETY = (("x-content-type-options", "nosniff"), ("cache-control", "no-store"))


class Pieces:
    """A body that comes in pieces. What has to be done at its end is done however it ends, even if it never began."""

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces
        self._afterwards: list[Callable[[], object]] = []

    def afterwards(self, finish: Callable[[], object]) -> None:
        """Have something done at the end."""
        self._afterwards.append(finish)

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        return self._pieces

    async def close(self) -> None:
        """No more pieces are wanted."""
        try:
            await self._pieces.aclose()
        finally:
            while self._afterwards:
                finished = self._afterwards.pop()()
                if isawaitable(finished):
                    await finished


@dataclass(frozen=True, kw_only=True)
class Response:
    """A whole answer, or the head of one that comes in pieces.

    Attributes:
        status: Status of HTTP.
        headers: Headers, apart from those of length and connection.
        body: The whole body, or its pieces as they come.
        exposed: Names of headers that pages of other origins may read.
        closes: Whether the connection ends with it.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes | Pieces = b""
    exposed: tuple[str, ...] = ()
    closes: bool = False


def json_response(status: int, content: object, headers: Headers = (), *, closes: bool = False) -> Response:
    """An answer in JSON."""
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    return Response(status=status, headers=(("content-type", JSON_TYPE), *headers), body=body, closes=closes)


def text_response(status: int, text: str, content_type: str = "text/plain; charset=utf-8") -> Response:
    """An answer in words."""
    return Response(status=status, headers=(("content-type", content_type),), body=text.encode())


def encode_head(response: Response, *, closes: bool, chunked: bool) -> bytes:
    """Status line and headers of an answer, with the empty line that ends them."""
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    lines += [f"{name}: {_one_line(value)}" for name, value in (*_SAFETY, *response.headers)]
    lines.append(f"date: {formatdate(usegmt=True)}")
    if chunked:
        lines.append("transfer-encoding: chunked")
    elif isinstance(response.body, bytes):
        lines.append(f"content-length: {len(response.body)}")
    if closes:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def encode_chunk(piece: bytes) -> bytes:
    """A piece of a body that comes in chunks; the last one is empty."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _one_line(value: str) -> str:
    """A value that cannot end its line, whoever it comes from."""
    return "".join(char if char.isprintable() else " " for char in value)
