"""Which methods the services have, and what their messages are, for those who carry calls they do not understand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from pose_mdn_server.rpc import (
    model_pb2,
    open_inference_pb2,
    pose_fusion_pb2,
    pose_generation_pb2,
    pose_lifting_pb2,
    reprojection_pb2,
)

_MODULES: tuple[ModuleType, ...] = (
    pose_lifting_pb2,
    reprojection_pb2,
    pose_fusion_pb2,
    pose_generation_pb2,
    model_pb2,
    open_inference_pb2,
    health_pb2,
)


@dataclass(frozen=True, kw_only=True)
class RpcMethod:
    """A method of a service.

    Attributes:
        path: "/package.Service/Method".
        request: Class of its requests.
        response: Class of its answers.
        streams_requests: Whether a call has many requests.
        streams_responses: Whether a call has many answers.
    """

    path: str
    request: type[Message]
    response: type[Message]
    streams_requests: bool
    streams_responses: bool


@cache
def rpc_methods() -> Mapping[str, RpcMethod]:
    """Every method, by its path, in the order in which the services state them."""
    found: dict[str, RpcMethod] = {}
    for module in _MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                path = f"/{service.full_name}/{method.name}"
                found[path] = RpcMethod(
                    path=path,
                    request=GetMessageClass(method.input_type),
                    response=GetMessageClass(method.output_type),
                    streams_requests=method.client_streaming,
                    streams_responses=method.server_streaming,
                )
    return MappingProxyType(found)
