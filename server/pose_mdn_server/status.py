"""The one table that maps exceptions to gRPC statuses, and its inverse for clients."""

import math
import typing
from dataclasses import dataclass
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]
    BadRequest,
    ErrorInfo,
    RequestInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc_status import rpc_status

from pose_mdn.errors import BundleError, GeometryError, InputError, ModelNotFoundError, PoseMDNError
from pose_mdn_server.errors import (
    CallerGoneError,
    DrainingError,
    FieldViolation,
    ModelNotReadyError,
    NotOfferedError,
    NotServedError,
    OverdueError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RequestError,
    ServerError,
    ServerUnavailableError,
    UnauthenticatedError,
)

REQUEST_ID_KEY = "x-request-id"
"""Metadata key under which a request id is accepted and given back."""

PUSHBACK_KEY = "grpc-retry-pushback-ms"
"""Metadata key under which gRPC's own clients learn when to try again, or that it is in vain
(https://github.com/grpc/proposal/blob/master/A6-client-retries.md)."""

_LONGEST_PUSHBACK_S = 2.0
"""Who has to wait longer than this should know it, rather than have gRPC wait silently."""

DOMAIN = "pose-mdn"
"""Of the reasons in `ErrorInfo`."""

_CODES: tuple[tuple[type[PoseMDNError], grpc.StatusCode, str], ...] = (
    (RequestError, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    (InputError, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
    (GeometryError, grpc.StatusCode.INVALID_ARGUMENT, "IMPOSSIBLE_GEOMETRY"),
    (ModelNotFoundError, grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"),
    (NotServedError, grpc.StatusCode.NOT_FOUND, "NOT_SERVED"),
    (BundleError, grpc.StatusCode.FAILED_PRECONDITION, "BROKEN_BUNDLE"),
    (ModelNotReadyError, grpc.StatusCode.UNAVAILABLE, "MODELS_LOADING"),
    (DrainingError, grpc.StatusCode.UNAVAILABLE, "SERVER_STOPPING"),
    (QuotaExceededError, grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"),
    (OverloadedError, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    (UnauthenticatedError, grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    (PermissionDeniedError, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
    (NotOfferedError, grpc.StatusCode.UNIMPLEMENTED, "NOT_OFFERED"),
    (OverdueError, grpc.StatusCode.DEADLINE_EXCEEDED, "OVERDUE"),
    (CallerGoneError, grpc.StatusCode.CANCELLED, "CANCELLED"),
)
"""Kind of error, code, and the reason that `ErrorInfo` gives; the first that fits counts."""

_REQUEST_FIELDS = {
    "keypoints": "keypoints_px",
    "intrinsics": "camera.intrinsics",
    "distortion": "camera.distortion",
    "lens_model": "camera.lens_model",
}
"""Arguments of the library that requests call otherwise."""


@dataclass(frozen=True)
class RefusedStatus(grpc.Status):
    """A status as `ServicerContext.abort_with_status` takes it."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def code_and_reason(error: Exception) -> tuple[grpc.StatusCode, str]:
    """Code, and the reason that `ErrorInfo` gives."""
    for kind, code, reason in _CODES:
        if isinstance(error, kind):
            return code, reason
    return grpc.StatusCode.INTERNAL, "INTERNAL"


def to_status(error: Exception, request_id: str) -> RefusedStatus:
    """Status to send for an exception.

    Only texts of exceptions in the table reach the client. Any other says no more than the request id, under which the
    log has the rest.
    """
    code, reason = code_and_reason(error)
    if code is grpc.StatusCode.INTERNAL:
        message = f"the server failed; its log has the reason under request id {request_id}"
    else:
        message = str(error)
    status = Status(code=code.value[0], message=message)
    _attach(status, ErrorInfo(reason=reason, domain=DOMAIN))
    _attach(status, RequestInfo(request_id=request_id))
    if isinstance(error, InputError):
        _attach(status, _bad_request(error))
    if isinstance(error, OverloadedError):
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after_s * 1e9))
        _attach(status, retry)
    refused = rpc_status.to_status(status)
    trailers: list[tuple[str, str | bytes]] = [*refused.trailing_metadata, (REQUEST_ID_KEY, request_id)]
    if isinstance(error, OverloadedError):
        trailers.append((PUSHBACK_KEY, _pushback(error.retry_after_s)))
    return RefusedStatus(code, message, tuple(trailers))


def from_rpc_error(error: grpc.RpcError, target: str) -> PoseMDNError:
    """The exception that a client raises for a status that came from the server at `target`.

    The server's reason decides, and the code where there is none, as with proxies. The request id, under which the
    server's log has more, is a note of the exception.
    """
    details = _Details.of(error)
    raised = _raised(error, details, target)
    if details.request_id:
        raised.add_note(f"request id {details.request_id}")
    return raised


def _raised(error: grpc.RpcError, details: "_Details", target: str) -> PoseMDNError:
    code, text = error.code(), error.details() or ""
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return RequestError(details.violations) if details.violations else InputError(text)
    if code is grpc.StatusCode.NOT_FOUND:
        return ModelNotFoundError(text)
    if code is grpc.StatusCode.UNAVAILABLE:
        return ServerUnavailableError(
            f"no answer from a server at {target} ({text}); start one with `pose-mdn serve`, or check the address"
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return ServerUnavailableError(f"no answer from {target} in time; send fewer poses per call or wait longer")
    message = f"{target} answered {code.name}: {text}"
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and details.retry_after_s is not None:
        kind = QuotaExceededError if details.reason == "QUOTA_EXCEEDED" else OverloadedError
        return kind(message, retry_after_s=details.retry_after_s)
    return _RAISED_BY_CLIENTS.get(code, ServerError)(message)


_RAISED_BY_CLIENTS: dict[grpc.StatusCode, type[ServerError]] = {
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.UNIMPLEMENTED: NotOfferedError,
}


@dataclass(frozen=True, kw_only=True)
class _Details:
    """What came with a status beside code and text."""

    reason: str = ""
    request_id: str = ""
    retry_after_s: float | None = None
    violations: tuple[FieldViolation, ...] = ()

    @classmethod
    def of(cls, error: grpc.RpcError) -> "_Details":
        """Whatever the server sent; nothing for statuses that did not come from a server of ours."""
        try:
            status = rpc_status.from_call(cast(grpc.Call, error))
        except ValueError:  # a proxy changed the code and left the details
            return cls()
        found: dict[str, typing.Any] = {}
        bad_request, info, request, retry = BadRequest(), ErrorInfo(), RequestInfo(), RetryInfo()
        for detail in status.details if status is not None else ():
            if detail.Unpack(bad_request):
                found["violations"] = tuple(
                    FieldViolation(item.field, item.description) for item in bad_request.field_violations
                )
            elif detail.Unpack(info):
                found["reason"] = info.reason
            elif detail.Unpack(request):
                found["request_id"] = request.request_id
            elif detail.Unpack(retry):
                found["retry_after_s"] = retry.retry_delay.ToNanoseconds() / 1e9
        return cls(**found)


def field_violations(error: grpc.RpcError) -> tuple[FieldViolation, ...]:
    """The field violations that came with an INVALID_ARGUMENT; empty if the server sent none."""
    return _Details.of(error).violations


def _pushback(retry_after_s: float) -> str:
    return "-1" if retry_after_s > _LONGEST_PUSHBACK_S else str(math.ceil(retry_after_s * 1e3))


def _bad_request(error: InputError) -> BadRequest:
    if isinstance(error, RequestError):
        violations = error.violations
    else:
        violations = (FieldViolation(_REQUEST_FIELDS.get(error.field, error.field), str(error)),)
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=violation.field, description=violation.description)
            for violation in violations
        ]
    )


def _attach(status: Status, detail: BadRequest | ErrorInfo | RequestInfo | RetryInfo) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)
