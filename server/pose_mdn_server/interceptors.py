"""What happens around every call: a request id, one line in the access log, and exceptions turned into statuses.

The access log says which call, how it ended and how long it took; never keypoints, answers or who asked.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from pose_mdn_server.status import REQUEST_ID_KEY, status_code, to_status

_ACCESS = logging.getLogger("pose_mdn_server.access")
_LOG = logging.getLogger(__name__)
_OUR_PACKAGE = "/pose_mdn."
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


class CallInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Wraps calls with one request and one answer, and those with streams of both that are ours.

    Health watches and reflection pass through.
    """

    def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Give the handler of a call, wrapped."""
        handler = continuation(handler_call_details)
        method, request_id = handler_call_details.method, _request_id(handler_call_details)
        if handler is not None and handler.stream_stream is not None and method.startswith(_OUR_PACKAGE):
            stream = handler.stream_stream
            return grpc.stream_stream_rpc_method_handler(
                lambda requests, context: _answer_stream(stream, requests, context, method, request_id),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        if handler is None or handler.unary_unary is None:
            return handler
        inner = handler.unary_unary
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: _answer(inner, request, context, method, request_id),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _answer(
    inner: Callable[[Message, grpc.ServicerContext], Message],
    request: Message,
    context: grpc.ServicerContext,
    method: str,
    request_id: str,
) -> Message:
    context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
    started = time.perf_counter()
    try:
        response = inner(request, context)
    except Exception as error:  # the edge of the program: whatever happened, the caller gets a status
        failure = error
    else:
        _log_access(method, grpc.StatusCode.OK, started, request_id)
        return response
    return _refuse(failure, context, method, started, request_id)


def _answer_stream(
    inner: Callable[[Iterator[Message], grpc.ServicerContext], Iterator[Message]],
    requests: Iterator[Message],
    context: grpc.ServicerContext,
    method: str,
    request_id: str,
) -> Iterator[Message]:
    context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
    started = time.perf_counter()
    try:
        yield from inner(requests, context)
    except Exception as error:  # the edge of the program, as above
        failure = error
    else:
        _log_access(method, grpc.StatusCode.OK, started, request_id)
        return
    if not context.is_active():
        # The caller has gone, which is where gRPC's iterators end with an error without a text.
        _log_access(method, grpc.StatusCode.CANCELLED, started, request_id)
        return
    _refuse(failure, context, method, started, request_id)


def _refuse(error: Exception, context: grpc.ServicerContext, method: str, started: float, request_id: str) -> NoReturn:
    code = status_code(error)
    if code is grpc.StatusCode.INTERNAL:
        _LOG.error("%s failed, request id %s", method, request_id, exc_info=error)
    _log_access(method, code, started, request_id)
    context.abort_with_status(to_status(error, request_id))
    raise AssertionError("abort_with_status raises")


def _log_access(method: str, code: grpc.StatusCode, started: float, request_id: str) -> None:
    _ACCESS.info("%s %s %.2f ms request_id=%s", method, code.name, (time.perf_counter() - started) * 1e3, request_id)


def _request_id(details: grpc.HandlerCallDetails) -> str:
    """The caller's request id if it sent a plain one, else a new one."""
    for key, value in details.invocation_metadata or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _ACCEPTABLE_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex
