"""gRPC-Web: gRPC's messages in the body of a POST, its trailers as the last of them.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md. In `application/grpc-web-text` all of that is in base64,
piece by piece. Streams are half-duplex, as with Connect.
"""

import base64
import binascii
from collections.abc import AsyncGenerator
from urllib.parse import quote

import grpc

from pose_mdn_server.gateway.backend import Backend, Ending, OutgoingCall, refused
from pose_mdn_server.gateway.compression import GZIP, WORTH_BYTES, accepts_gzip, pack
from pose_mdn_server.gateway.envelopes import COMPRESSED, TRAILERS, enclose, open_envelopes
from pose_mdn_server.gateway.http_errors import RefusedCallError
from pose_mdn_server.gateway.incoming_call import IncomingCall
from pose_mdn_server.gateway.metadata import STATUS_DETAILS_KEY, grpc_timeout_s, metadata_headers, metadata_text
from pose_mdn_server.gateway.responses import Pieces, Response

_MAX_PIECES = 65_536
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


async def answer(call: IncomingCall, backend: Backend, *, content_type: str, text: bool) -> Response:
    """Answer a call of any kind.

    Args:
        call: The call.
        backend: Who answers it.
        content_type: Of the request, which the answer has too.
        text: Whether bodies are in base64.
    """
    headers = [("content-type", content_type), ("grpc-accept-encoding", f"identity,{GZIP}")]
    packs = accepts_gzip(call.head.header("grpc-accept-encoding")) and not call.method.streams_responses
    try:
        outgoing = await _outgoing(call, text=text)
    except RefusedCallError as error:
        return Response(headers=tuple(headers), body=_encoded(enclose(TRAILERS, _trailers(refused(error))), text=text))
    answers = backend.stream(outgoing) if _streams(call) else _only(backend, outgoing)
    await anext(answers, None)
    metadata = metadata_headers(outgoing.ending.initial)
    if packs:
        headers.append(("grpc-encoding", GZIP))
    body = Pieces(_enclosed(call, answers, outgoing.ending, text=text, packs=packs))
    body.afterwards(answers.aclose)
    return Response(
        headers=(*headers, *metadata),
        body=body,
        exposed=tuple(name for name, _ in metadata),
    )


def grpc_message(text: str) -> str:
    """A status's text as it stands in a header: plain ASCII, the rest in percent signs."""
    return quote(text, safe=_PLAIN)


async def _outgoing(call: IncomingCall, *, text: bool) -> OutgoingCall:
    coding = call.head.header("grpc-encoding").lower()

    def open_body(body: bytes) -> list[bytes]:
        return open_envelopes(_from_base64(body) if text else body, coding, call.limit)

    messages = await call.aside(open_body, call.body)
    if not call.method.streams_requests and len(messages) != 1:
        raise RefusedCallError(
            grpc.StatusCode.INVALID_ARGUMENT, f"expected one message in the request, got {len(messages)}"
        )
    return OutgoingCall(
        path=call.method.path,
        messages=[await call.to_wire(message) for message in messages],
        metadata=call.metadata(),
        timeout_s=grpc_timeout_s(call.head),
    )


def _streams(call: IncomingCall) -> bool:
    return call.method.streams_requests or call.method.streams_responses


async def _only(backend: Backend, outgoing: OutgoingCall) -> AsyncGenerator[bytes, None]:
    only = await backend.ask(outgoing)
    yield b""
    if outgoing.ending.code is grpc.StatusCode.OK:
        yield only


async def _enclosed(
    call: IncomingCall, answers: AsyncGenerator[bytes, None], ending: Ending, *, text: bool, packs: bool
) -> AsyncGenerator[bytes, None]:
    try:
        async for message in answers:
            piece = await call.from_wire(message)
            if packs and len(piece) >= WORTH_BYTES:
                piece = enclose(COMPRESSED, await call.aside(pack, piece))
            else:
                piece = enclose(0, piece)
            yield _encoded(piece, text=text)
    except RefusedCallError as error:
        ending = refused(error)
    yield _encoded(enclose(TRAILERS, _trailers(ending)), text=text)


def _trailers(ending: Ending) -> bytes:
    lines = [f"grpc-status: {ending.code.value[0]}"]
    if ending.text:
        lines.append(f"grpc-message: {grpc_message(ending.text)}")
    for name, value in ending.trailing:
        if name == STATUS_DETAILS_KEY or not name.startswith("grpc-"):
            lines.append(f"{name}: {metadata_text(value)}")
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")


def _encoded(piece: bytes, *, text: bool) -> bytes:
    return base64.b64encode(piece) if text else piece


def _from_base64(body: bytes) -> bytes:
    """What pieces of base64 hold, each of which may end with padding."""
    pieces: list[bytes] = []
    at = 0
    try:
        while at < len(body) and len(pieces) < _MAX_PIECES:
            padding = body.find(b"=", at)
            end = len(body) if padding < 0 else padding + 2 if body[padding + 1 : padding + 2] == b"=" else padding + 1
            pieces.append(base64.b64decode(body[at:end], validate=True))
            at = end
    except (binascii.Error, ValueError):
        raise RefusedCallError(grpc.StatusCode.INVALID_ARGUMENT, "expected a body in base64") from None
    if at < len(body):
        raise RefusedCallError(grpc.StatusCode.INVALID_ARGUMENT, f"expected at most {_MAX_PIECES} pieces of base64")
    return b"".join(pieces)
