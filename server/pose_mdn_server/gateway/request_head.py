"""The first lines of an HTTP/1.1 request, read strictly (RFC 9112).

Wherever the standard lets a reader be lenient (line feeds alone, spaces before a colon, folded lines, several lengths),
the request is refused: leniency is how two readers come to disagree on where a request ends.
"""

import re
from dataclasses import dataclass

from pose_mdn_server.gateway.http_errors import MalformedRequestError

MAX_HEADERS = 100
MAX_TARGET_BYTES = 2048

_REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_ABSOLUTE = re.compile(r"https?://([^/?#@]+)(/[^?#]*)?(?:\?[^#]*)?", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """Everything of a request but its body.

    Attributes:
        method: "GET", "POST", ...
        path: Path of the target, without its query.
        host: Host and port that were asked for; empty if an HTTP/1.0 request named none.
        headers: Names in lower case and values, in the order in which they came.
        length: Bytes of the body; `None` if it comes in chunks.
        version: "1.1" or "1.0".
        keeps_alive: Whether another request may follow on the connection.
        expects_continue: Whether the body waits for a word from us.
    """

    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...]
    length: int | None
    version: str
    keeps_alive: bool
    expects_continue: bool

    def header(self, name: str) -> str:
        """Values of a header, joined with commas; empty if there is none."""
        return ", ".join(value for key, value in self.headers if key == name)


def parse_head(head: bytes) -> RequestHead:
    """Read a request's head, the bytes before its empty line.

    Raises:
        MalformedRequestError: It is no request of HTTP/1.0 or 1.1, or an ambiguous one.
    """
    first, *lines = head.split(b"\r\n")
    found = _REQUEST_LINE.fullmatch(first)
    if found is None:
        raise MalformedRequestError(400, "expected an HTTP/1.1 request, such as GET /healthz HTTP/1.1")
    method, target, major, minor = (part.decode("ascii") for part in found.groups())
    if major != "1":
        raise MalformedRequestError(505, f"expected HTTP/1.1, got HTTP/{major}.{minor}")
    if len(target) > MAX_TARGET_BYTES:
        raise MalformedRequestError(414, f"expected at most {MAX_TARGET_BYTES} bytes of address, got {len(target)}")
    headers = _parse_headers(lines)
    version = "1.0" if minor == "0" else "1.1"
    path, host = _split_target(target, _single(headers, "host"), needs_host=version == "1.1")
    expected = _single(headers, "expect").lower()
    if expected not in ("", "100-continue"):
        raise MalformedRequestError(417, "expected no expectation but 100-continue")
    options = {option.strip().lower() for key, value in headers if key == "connection" for option in value.split(",")}
    return RequestHead(
        method=method,
        path=path,
        host=host,
        headers=headers,
        length=_length(headers, http_1_0=version == "1.0"),
        version=version,
        keeps_alive="close" not in options and version == "1.1",
        expects_continue=expected != "" and version == "1.1",
    )


def _parse_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    if len(lines) > MAX_HEADERS:
        raise MalformedRequestError(431, f"expected at most {MAX_HEADERS} headers, got {len(lines)}")
    headers = []
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise MalformedRequestError(400, "expected header lines NAME: VALUE that end with CR LF")
        headers.append((found[1].decode("ascii").lower(), found[2].decode("latin-1").rstrip(" \t")))
    return tuple(headers)


def _single(headers: tuple[tuple[str, str], ...], name: str) -> str:
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise MalformedRequestError(400, f"expected one header {name}, got {len(values)}")
    return values[0] if values else ""


def _split_target(target: str, host: str, *, needs_host: bool) -> tuple[str, str]:
    if needs_host and not host:
        raise MalformedRequestError(400, "expected a header host")
    if target.startswith("/"):
        return target.partition("?")[0], host
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        return absolute[2] or "/", absolute[1]  # of two hosts the one in the address counts (RFC 9112, 3.2.2)
    if target == "*":
        return "*", host
    raise MalformedRequestError(400, "expected an address that begins with /")


def _length(headers: tuple[tuple[str, str], ...], *, http_1_0: bool) -> int | None:
    length = _single(headers, "content-length")
    coding = _single(headers, "transfer-encoding")
    has_length = any(key == "content-length" for key, _ in headers)
    has_coding = any(key == "transfer-encoding" for key, _ in headers)
    if has_coding:
        if has_length or http_1_0:
            raise MalformedRequestError(400, "expected a length or chunks, got both, or chunks in HTTP/1.0")
        if coding.lower() != "chunked":
            raise MalformedRequestError(501, "expected transfer-encoding chunked or none")
        return None
    if not has_length:
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise MalformedRequestError(400, "expected content-length as a number")
    return int(length)
