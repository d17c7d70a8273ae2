"""What an error says beside its words, as Connect writes it."""

import base64

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

_KNOWN = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        error_details_pb2.BadRequest,
        error_details_pb2.ErrorInfo,
        error_details_pb2.RequestInfo,
        error_details_pb2.RetryInfo,
        error_details_pb2.QuotaFailure,
    )
}


def connect_details(status: bytes) -> list[dict[str, object]]:
    """Details of a serialized google.rpc.Status: type, bytes in base64, and for people the same in JSON."""
    try:
        details = Status.FromString(status).details
    except DecodeError:
        return []
    return [_connect_detail(detail.type_url.rpartition("/")[2], detail.value) for detail in details]


def _connect_detail(name: str, value: bytes) -> dict[str, object]:
    detail: dict[str, object] = {"type": name, "value": base64.b64encode(value).decode().rstrip("=")}
    kind = _KNOWN.get(name)
    if kind is not None:
        try:
            detail["debug"] = json_format.MessageToDict(kind.FromString(value))
        except DecodeError:
            return detail
    return detail
