"""The Connect protocol: a unary call is a plain POST of a message, a stream is a body of envelopes.

https://connectrpc.com/docs/protocol. Streams are half-duplex here, as over any HTTP/1.1: the answers begin when the
whole request has come.
"""

import json
from collections.abc import AsyncGenerator

import grpc

from pose_mdn_server.gateway.backend import Backend, Ending, OutgoingCall, refused
from pose_mdn_server.gateway.compression import GZIP, WORTH_BYTES, accepts_gzip, pack, unpack
from pose_mdn_server.gateway.envelopes import END_OF_STREAM, enclose, open_envelopes
from pose_mdn_server.gateway.error_details import connect_details
from pose_mdn_server.gateway.http_errors import RefusedCallError
from pose_mdn_server.gateway.incoming_call import IncomingCall
from pose_mdn_server.gateway.metadata import STATUS_DETAILS_KEY, connect_timeout_s, metadata_headers, metadata_text
from pose_mdn_server.gateway.responses import JSON_TYPE, Pieces, Response

VERSION = "1"

HTTP_STATUSES = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}
"""Which status of HTTP a unary call ends with."""

_TRAILER_PREFIX = "trailer-"


async def answer_unary(call: IncomingCall, backend: Backend) -> Response:
    """Answer a call with one request and one answer."""
    try:
        _check_version(call)
        coding = call.head.header("content-encoding").lower()
        body = await call.aside(lambda packed: unpack(packed, coding, call.limit), call.body)
        outgoing = OutgoingCall(
            path=call.method.path,
            messages=(await call.to_wire(body),),
            metadata=call.metadata(),
            timeout_s=connect_timeout_s(call.head),
        )
        answer = await backend.ask(outgoing)
        ending = outgoing.ending
        if ending.code is grpc.StatusCode.OK:
            answer = await call.from_wire(answer)
    except RefusedCallError as error:
        ending = refused(error)
    headers = (
        *metadata_headers(ending.initial),
        *metadata_headers(ending.trailing, _TRAILER_PREFIX),
    )
    exposed = tuple(name for name, _ in headers)
    if ending.code is not grpc.StatusCode.OK:
        return Response(
            status=HTTP_STATUSES[ending.code],
            headers=(("content-type", JSON_TYPE), *headers),
            body=json.dumps(_error(ending), ensure_ascii=False).encode(),
            exposed=exposed,
        )
    headers = (("content-type", f"application/{call.message_format}"), *headers)
    if len(answer) >= WORTH_BYTES and accepts_gzip(call.head.header("accept-encoding")):
        headers, answer = (*headers, ("content-encoding", GZIP)), await call.aside(pack, answer)
    return Response(headers=headers, body=answer, exposed=exposed)


async def answer_stream(call: IncomingCall, backend: Backend) -> Response:
    """Answer a call with many requests, many answers, or both."""
    content_type = ("content-type", f"application/connect+{call.message_format}")
    try:
        _check_version(call)
        coding = call.head.header("connect-content-encoding").lower()
        messages = await call.aside(lambda body: open_envelopes(body, coding, call.limit), call.body)
        if not call.method.streams_requests and len(messages) != 1:
            raise RefusedCallError(
                grpc.StatusCode.INVALID_ARGUMENT, f"expected one message in the request, got {len(messages)}"
            )
        outgoing = OutgoingCall(
            path=call.method.path,
            messages=[await call.to_wire(message) for message in messages],
            metadata=call.metadata(),
            timeout_s=connect_timeout_s(call.head),
        )
    except RefusedCallError as error:
        return Response(headers=(content_type,), body=enclose(END_OF_STREAM, _end_of_stream(refused(error))))
    answers = backend.stream(outgoing)
    await anext(answers, None)
    headers = metadata_headers(outgoing.ending.initial)
    body = Pieces(_enclosed(call, answers, outgoing.ending))
    body.afterwards(answers.aclose)
    return Response(
        headers=(content_type, ("connect-accept-encoding", GZIP), *headers),
        body=body,
        exposed=tuple(name for name, _ in headers),
    )


async def _enclosed(
    call: IncomingCall, answers: AsyncGenerator[bytes, None], ending: Ending
) -> AsyncGenerator[bytes, None]:
    try:
        async for answer in answers:
            yield enclose(0, await call.from_wire(answer))
    except RefusedCallError as error:
        ending = refused(error)
    yield enclose(END_OF_STREAM, _end_of_stream(ending))


def _end_of_stream(ending: Ending) -> bytes:
    content: dict[str, object] = {}
    if ending.code is not grpc.StatusCode.OK:
        content["error"] = _error(ending)
    metadata: dict[str, list[str]] = {}
    for name, value in ending.trailing:
        if not name.startswith("grpc-"):
            metadata.setdefault(name, []).append(metadata_text(value))
    if metadata:
        content["metadata"] = metadata
    return json.dumps(content, ensure_ascii=False).encode()


def _error(ending: Ending) -> dict[str, object]:
    code = "canceled" if ending.code is grpc.StatusCode.CANCELLED else ending.code.name.lower()
    details = [value for name, value in ending.trailing if name == STATUS_DETAILS_KEY and isinstance(value, bytes)]
    error: dict[str, object] = {"code": code, "message": ending.text}
    if details:
        error["details"] = connect_details(details[0])
    return error


def _check_version(call: IncomingCall) -> None:
    version = call.head.header("connect-protocol-version")
    if version not in ("", VERSION):
        raise RefusedCallError(
            grpc.StatusCode.INVALID_ARGUMENT, f"connect-protocol-version: expected {VERSION}, got {version[:20]}"
        )
