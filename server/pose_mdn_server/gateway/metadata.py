"""Headers of HTTP as metadata of gRPC, and back.

Everything passes that a caller or a server may have put there for the other, under any name that gRPC takes. What HTTP,
browsers and the protocols themselves need for their own work stays behind, and so do cookies: a browser sends those by
itself, and nobody may be recognised by what a page did not choose to send.
"""

import base64
import binascii
import re
from collections.abc import Iterable

import grpc

from pose_mdn_server.gateway.http_errors import RefusedCallError
from pose_mdn_server.gateway.request_head import RequestHead
from pose_mdn_server.gateway.responses import Headers

Metadata = tuple[tuple[str, str | bytes], ...]

STATUS_DETAILS_KEY = "grpc-status-details-bin"
FORWARDED_FOR_KEY = "x-forwarded-for"
"""Metadata key under which the server learns the address of the one who calls through this port; what a caller writes
there itself does not pass."""

_NAME = re.compile(r"[a-z0-9_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_BINARY = "-bin"
_STAY_BEHIND = frozenset(
    [
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "dnt",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-grpc-web",
        "x-real-ip",
        "x-user-agent",
    ]
)
_STAY_BEHIND_PREFIXES = ("accept", "access-control-", "connect-", "grpc-", "if-", "proxy-", "sec-", "trailer-")
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_TIMEOUT_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT_MS = re.compile(r"[0-9]{1,10}")


def call_metadata(head: RequestHead, peer: str) -> Metadata:
    """What goes along with a call.

    Raises:
        RefusedCallError: A header is not one that gRPC can carry.
    """
    found: list[tuple[str, str | bytes]] = []
    for name, value in head.headers:
        if _stays_behind(name):
            continue
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise RefusedCallError(
                grpc.StatusCode.INVALID_ARGUMENT,
                "expected headers of letters, digits, -, _ and . with plain ASCII values",
            )
        if name.endswith(_BINARY):
            found += [(name, _from_base64(name, part.strip())) for part in value.split(",")]
        else:
            found.append((name, value))
    if peer:
        found.append((FORWARDED_FOR_KEY, peer))
    return tuple(found)


def metadata_headers(metadata: Iterable[tuple[str, str | bytes]], prefix: str = "") -> Headers:
    """Metadata of an answer as headers; none that HTTP, browsers or the protocols use themselves."""
    return tuple((prefix + name, metadata_text(value)) for name, value in metadata if not _stays_behind(name))


def metadata_text(value: str | bytes) -> str:
    """A value of metadata as it stands in a header; bytes in base64 without padding."""
    return base64.b64encode(value).decode().rstrip("=") if isinstance(value, bytes) else value


def connect_timeout_s(head: RequestHead) -> float | None:
    """Time that a Connect call may take; `None` if it does not say.

    Raises:
        RefusedCallError: It says something else.
    """
    text = head.header("connect-timeout-ms")
    if not text:
        return None
    if _TIMEOUT_MS.fullmatch(text) is None:
        raise RefusedCallError(
            grpc.StatusCode.INVALID_ARGUMENT, "connect-timeout-ms: expected a number of at most 10 digits"
        )
    return int(text) * 1e-3


def grpc_timeout_s(head: RequestHead) -> float | None:
    """Time that a gRPC-Web call may take; `None` if it does not say.

    Raises:
        RefusedCallError: It says something else.
    """
    text = head.header("grpc-timeout")
    if not text:
        return None
    found = _TIMEOUT.fullmatch(text)
    if found is None:
        raise RefusedCallError(
            grpc.StatusCode.INVALID_ARGUMENT, "grpc-timeout: expected at most 8 digits and one of H M S m u n"
        )
    return int(found[1]) * _TIMEOUT_UNITS_S[found[2]]


def _stays_behind(name: str) -> bool:
    return name in _STAY_BEHIND or name.startswith(_STAY_BEHIND_PREFIXES)


def _from_base64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedCallError(grpc.StatusCode.INVALID_ARGUMENT, f"{name}: expected base64") from None
