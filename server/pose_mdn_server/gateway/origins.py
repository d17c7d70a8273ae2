"""Which pages and which names may reach the HTTP port from a browser.

Three rules keep pages that somebody happens to look at away from a server on this machine:

- A page of another origin gets an answer only if its origin is allowed, by exact comparison. None is by default.
- Calls need content types that browsers send to other origins only after asking (a preflight), which is then refused.
- The host that was asked for must be one of ours. A page can point a name of its own at 127.0.0.1, which makes this
  server its own origin; it cannot do that with an address, so addresses pass and unknown names do not.
"""

import ipaddress
import re
from dataclasses import dataclass

from pose_mdn_server.gateway.http_errors import HttpError
from pose_mdn_server.gateway.request_head import RequestHead
from pose_mdn_server.gateway.responses import Headers, Response

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_ASKED_HEADERS = 32
_PREFLIGHT_LASTS_S = 7200
_ALLOWED_HEADERS = (
    "authorization",
    "connect-accept-encoding",
    "connect-content-encoding",
    "connect-protocol-version",
    "connect-timeout-ms",
    "content-encoding",
    "content-type",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-timeout",
    "traceparent",
    "tracestate",
    "x-grpc-web",
    "x-priority",
    "x-request-id",
    "x-user-agent",
)
_EXPOSED_HEADERS = (
    "connect-content-encoding",
    "grpc-encoding",
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "retry-after",
    "trailer-x-request-id",
    "x-request-id",
)


@dataclass(frozen=True, kw_only=True)
class BrowserRules:
    """Whom the HTTP port answers.

    Attributes:
        origins: Origins whose pages may call.
        hosts: Names in lower case under which it may be asked, besides addresses and `localhost`.
    """

    origins: frozenset[str]
    hosts: frozenset[str]

    def check_host(self, host: str) -> None:
        """Refuse requests for a name that is not ours.

        Raises:
            HttpError: The name is unknown.
        """
        if not host or self._is_ours(host):
            return  # only HTTP/1.0 has no host, which no browser speaks
        raise HttpError(
            403, "expected an address, localhost or a name of this server as host; allow others with http_allowed_hosts"
        )

    def check_origin(self, head: RequestHead, *, secure: bool) -> str:
        """Origin of the page that asks, if it is of another origin and allowed; empty if no such page asks.

        Raises:
            HttpError: A page asks that may not.
        """
        origin = head.header("origin")
        if not origin or origin == f"{'https' if secure else 'http'}://{head.host}":
            return ""
        if origin in self.origins:
            return origin
        raise HttpError(403, "expected no page of another origin, or one of http_allowed_origins")

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or name in self.hosts or _is_address(name)


def answer_preflight(head: RequestHead) -> Response:
    """Answer a browser that asks whether a page of an allowed origin may call."""
    asked = [name.strip().lower() for name in head.header("access-control-request-headers").split(",")]
    custom = [name for name in asked[:_MAX_ASKED_HEADERS] if _HEADER_NAME.fullmatch(name)]
    headers = [
        ("access-control-allow-methods", "POST, GET"),
        ("access-control-allow-headers", ", ".join(sorted({*_ALLOWED_HEADERS, *custom}))),
        ("access-control-max-age", str(_PREFLIGHT_LASTS_S)),
    ]
    if head.header("access-control-request-private-network") == "true":
        headers.append(("access-control-allow-private-network", "true"))
    return Response(status=204, headers=tuple(headers))


def origin_headers(origin: str, exposed: tuple[str, ...]) -> Headers:
    """Headers with which a browser hands an answer to a page of another, allowed origin."""
    if not origin:
        return (("vary", "origin"),)
    return (
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", ", ".join(sorted({*_EXPOSED_HEADERS, *exposed}))),
        ("vary", "origin, access-control-request-headers"),
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
