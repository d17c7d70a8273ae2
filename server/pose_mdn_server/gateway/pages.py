"""What GET answers: metrics, probes, and a page for people."""

import asyncio
import html
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

from pose_mdn_server.codec.rpc_methods import RpcMethod
from pose_mdn_server.gateway.http_errors import HttpError
from pose_mdn_server.gateway.responses import Response, json_response, text_response
from pose_mdn_server.gateway.supervisor import Supervisor

ASK_S = 5.0
"""How long whoever runs the server may take to tell how it is."""

Answer = TypeVar("Answer")

_OPENMETRICS = "application/openmetrics-text"
_HTML_TYPE = "text/html; charset=utf-8"
_PAGE_HEADERS = (
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("referrer-policy", "no-referrer"),
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>pose-mdn</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
li {{ overflow-wrap: anywhere }}
</style>
</head>
<body>
<h1>pose-mdn</h1>
<p>{state}</p>
<ul>
<li><a href="/metrics">/metrics</a> for Prometheus</li>
<li><a href="/healthz">/healthz</a>: whether this process answers</li>
<li><a href="/readyz">/readyz</a>: whether calls are answered</li>
</ul>
{methods}
</body>
</html>
"""
_METHODS = """<p>POST calls to these methods, with Connect (JSON or protobuf) or gRPC-Web:</p>
<ul>
{items}
</ul>"""


class Pages:
    """Answers GET."""

    def __init__(self, supervisor: Supervisor, methods: Mapping[str, RpcMethod], threads: Executor) -> None:
        self._supervisor = supervisor
        self._methods = methods
        self._threads = threads

    async def answer(self, path: str, accept: str) -> Response:
        """Answer a request for a page.

        Raises:
            HttpError: There is no such page.
        """
        if path == "/healthz":
            return text_response(200, "ok\n")
        if path == "/readyz":
            ready, content = await self._readiness()
            return json_response(200 if ready else 503, content)
        if path == "/metrics":
            return await self._metrics(accept)
        if path == "/":
            return await self._status_page()
        if path in self._methods:
            raise HttpError(405, "expected POST for a call", (("allow", "POST, OPTIONS"),))
        raise HttpError(404, "expected /, /metrics, /healthz, /readyz, or POST to /package.Service/Method")

    async def _readiness(self) -> tuple[bool, dict[str, object]]:
        try:
            content = await self._ask(self._supervisor.readiness)
        except Exception as error:  # whatever keeps it from telling, calls cannot be relied on
            return False, {"ready": False, "reason": f"the server did not tell: {type(error).__name__}"}
        return content.get("ready") is True, content

    async def _metrics(self, accept: str) -> Response:
        openmetrics = _OPENMETRICS in accept
        try:
            body, content_type = await self._ask(lambda: self._supervisor.metrics(openmetrics))
        except TimeoutError:
            raise HttpError(503, f"the server did not tell its metrics within {ASK_S:g} s; try again") from None
        return Response(headers=(("content-type", content_type),), body=body)

    async def _status_page(self) -> Response:
        ready, _ = await self._readiness()
        items = "\n".join(f"<li><code>{html.escape(path)}</code></li>" for path in self._methods)
        page = _PAGE.format(
            state="Calls are answered." if ready else "Calls are not answered now.",
            methods=_METHODS.format(items=items) if self._methods else "",
        )
        return Response(headers=(("content-type", _HTML_TYPE), *_PAGE_HEADERS), body=page.encode())

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        async with asyncio.timeout(ASK_S):
            return await asyncio.get_running_loop().run_in_executor(self._threads, question)
