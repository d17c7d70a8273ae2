"""The HTTP port: pages, and calls from browsers that go on to the gRPC port."""

import asyncio
import logging
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from pose_mdn.errors import ConfigError
from pose_mdn_server.codec.rpc_methods import RpcMethod, rpc_methods
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway import connect_protocol, grpc_web
from pose_mdn_server.gateway.backend import Backend, channels_for
from pose_mdn_server.gateway.budget import Budget
from pose_mdn_server.gateway.http_errors import HttpError
from pose_mdn_server.gateway.http_server import HttpLimits, HttpServer, Request
from pose_mdn_server.gateway.incoming_call import IncomingCall
from pose_mdn_server.gateway.origins import BrowserRules, answer_preflight, origin_headers
from pose_mdn_server.gateway.pages import Pages
from pose_mdn_server.gateway.responses import Pieces, Response
from pose_mdn_server.gateway.supervisor import Supervisor
from pose_mdn_server.gateway.tls_files import Encryption, TlsFiles, tls_files

MAX_CONNECTIONS = 512
MAX_CALLS = 256
MAX_STREAMS = 64
"""Connections, calls under way, and those of them with many answers, which may go on for ever, at the same time."""

_LOG = logging.getLogger(__name__)
_THREADS = 4
_LOOK_FOR_CERTIFICATES_S = 5.0
_HELD_MESSAGES = 4
_HEAD_BYTES_BESIDE_METADATA = 8 * 1024
_CALL_TYPE = re.compile(
    r"application/(?:(?P<unary>proto|json)|connect\+(?P<stream>proto|json)"
    r"|grpc-web(?P<text>-text)?(?:\+(?P<web>proto|json))?)(?:\s*;.*)?"
)
_TAKEN_TYPES = (
    "application/json, application/proto, application/connect+json, application/connect+proto, "
    "application/grpc-web+proto, application/grpc-web-text+proto"
)


class Gateway:
    """Serves the HTTP port; belongs to one event loop."""

    def __init__(self, config: ServerConfig, *, supervisor: Supervisor, grpc_target: str) -> None:
        self.config = config
        self._methods = rpc_methods()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway")
        self._pages = Pages(supervisor, self._methods if config.reflection else {}, self._threads)
        self._rules = BrowserRules(
            origins=frozenset(config.http_allowed_origins),
            hosts=frozenset(name.lower() for name in (config.http_host, *config.http_allowed_hosts)),
        )
        self._backend = Backend(
            grpc_target, channels=channels_for(config.workers), max_message_bytes=config.max_message_bytes
        )
        # A socket in a folder of our own needs no encryption, and a server there has none.
        self._encrypts_inside = not grpc_target.startswith("unix:")
        self._files = tls_files(config)
        self._encryption: Encryption | None = None
        self._server: HttpServer | None = None
        self._looking: asyncio.Task[None] | None = None
        self._calls = Budget(MAX_CALLS, "calls")
        self._streams = Budget(MAX_STREAMS, "streams")

    def start(self, listener: socket.socket) -> None:
        """Serve a listening socket. Must be called inside the event loop.

        Raises:
            ConfigError: The certificate cannot be used.
        """
        if self._files is None:
            self._backend.connect()
        else:
            self._use(self._files.load())
            self._looking = asyncio.create_task(self._look_for_certificates(self._files))
        limit = self.config.max_message_bytes
        limits = HttpLimits(
            head_bytes=self.config.max_metadata_bytes + _HEAD_BYTES_BESIDE_METADATA,
            body_bytes=limit,
            held_bytes=_HELD_MESSAGES * limit,
            connections=MAX_CONNECTIONS,
        )
        self._server = HttpServer(self.handle, limits, None if self._files is None else self._certificate)
        self._server.start(listener)

    async def drain(self) -> bool:
        """Take no more requests, let those under way finish within `drain_s`. True if all of them did."""
        finished = self._server is None or await self._server.drain(self.config.drain_s)
        if self._looking is not None:
            self._looking.cancel()
        await self._backend.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        return finished

    async def handle(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            HttpError: It is refused.
        """
        head = request.head
        self._rules.check_host(head.host)
        origin = self._rules.check_origin(head, secure=request.secure)
        try:
            response = await self._answer(request, is_cross_origin=origin != "")
        except HttpError as error:
            # A page of an allowed origin may read why it was refused.
            error.headers = (*error.headers, *origin_headers(origin, ()))
            raise
        return replace(response, headers=(*response.headers, *origin_headers(origin, response.exposed)))

    async def _answer(self, request: Request, *, is_cross_origin: bool) -> Response:
        head = request.head
        if head.method in ("GET", "HEAD"):
            return await self._pages.answer(head.path, head.header("accept"))
        if head.method == "OPTIONS":
            if is_cross_origin and head.header("access-control-request-method"):
                return answer_preflight(head)
            return Response(status=204, headers=(("allow", "GET, HEAD, POST, OPTIONS"),))
        if head.method != "POST":
            raise HttpError(405, "expected GET, HEAD, POST or OPTIONS", (("allow", "GET, HEAD, POST, OPTIONS"),))
        method = self._methods.get(head.path)
        if method is None:
            raise HttpError(404, "expected one of the methods that GET / lists")
        if head.version != "1.1":
            raise HttpError(505, "expected HTTP/1.1 for a call")
        return await self._call(request, method)

    async def _call(self, request: Request, method: RpcMethod) -> Response:
        content_type = request.head.header("content-type").lower()
        found = _CALL_TYPE.fullmatch(content_type)
        if found is None or len(content_type) > 100:
            raise HttpError(415, f"content-type: expected one of {_TAKEN_TYPES}", (("accept-post", _TAKEN_TYPES),))
        streams = method.streams_requests or method.streams_responses
        if (found["unary"] and streams) or (found["stream"] and not streams):
            wanted = "application/connect+json or +proto" if streams else "application/json or application/proto"
            raise HttpError(415, f"content-type: expected {wanted} for this method", (("accept-post", _TAKEN_TYPES),))
        finish = ExitStack()
        try:
            for budget in (self._calls, self._streams) if method.streams_responses else (self._calls,):
                budget.take()
                finish.callback(budget.give_back)
            response = await self._translate(request, method, found, content_type)
        except BaseException:
            finish.close()
            raise
        if isinstance(response.body, Pieces):
            response.body.afterwards(finish.close)
        else:
            finish.close()
        return response

    async def _translate(
        self, request: Request, method: RpcMethod, found: re.Match[str], content_type: str
    ) -> Response:
        call = IncomingCall(
            method=method,
            head=request.head,
            body=await request.body(),
            message_format=found["unary"] or found["stream"] or found["web"] or "proto",
            peer=request.peer,
            limit=self.config.max_message_bytes,
            threads=self._threads,
        )
        if found["unary"]:
            return await connect_protocol.answer_unary(call, self._backend)
        if found["stream"]:
            return await connect_protocol.answer_stream(call, self._backend)
        return await grpc_web.answer(
            call, self._backend, content_type=content_type.partition(";")[0], text=found["text"] is not None
        )

    async def _look_for_certificates(self, files: TlsFiles) -> None:
        known = files.stamp()
        while True:
            await asyncio.sleep(_LOOK_FOR_CERTIFICATES_S)
            try:
                stamp = files.stamp()
                if stamp == known:
                    continue
                encryption = files.load()
            except (ConfigError, OSError) as error:  # half written, or wrong: the old one goes on
                _LOG.warning("the certificate changed and cannot be used yet: %s", error)
                continue
            known = stamp
            self._use(encryption)
            _LOG.info("uses the certificate that was changed")

    def _certificate(self) -> ssl.SSLContext:
        assert self._encryption is not None
        return self._encryption.towards_clients

    def _use(self, encryption: Encryption) -> None:
        self._encryption = encryption
        self._rules = replace(self._rules, hosts=self._rules.hosts | frozenset(encryption.names))
        if self._encrypts_inside:
            name = encryption.names[0] if encryption.names else ""
            self._backend.connect(encryption.towards_server, name.replace("*", "any", 1))
        else:
            self._backend.connect()
