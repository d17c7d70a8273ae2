"""The methods that clients call: their paths, and the messages that answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pose_mdn_server.codec.lifting import parse_lift_response
from pose_mdn_server.rpc import model_pb2, pose_fusion_pb2, pose_generation_pb2, pose_lifting_pb2, reprojection_pb2


@dataclass(frozen=True, slots=True)
class MethodName:
    """One method.

    Attributes:
        path: "/package.Service/Method".
        parse: From the bytes of an answer to its message.
    """

    path: str
    parse: Callable[[bytes], Any]


def _method(module: Any, service: str, name: str) -> MethodName:
    described = module.DESCRIPTOR.services_by_name[service].methods_by_name[name]
    return MethodName(
        f"/{described.containing_service.full_name}/{name}", getattr(module, described.output_type.name).FromString
    )


LIFT = replace(_method(pose_lifting_pb2, "PoseLiftingService", "Lift"), parse=parse_lift_response)
LIFT_STREAM = _method(pose_lifting_pb2, "PoseLiftingService", "LiftStream")
CHECK_REPROJECTION = _method(reprojection_pb2, "ReprojectionService", "CheckReprojection")
FUSE_POSES = _method(pose_fusion_pb2, "PoseFusionService", "FusePoses")
SAMPLE_POSES = _method(pose_generation_pb2, "PoseGenerationService", "SamplePoses")
ENCODE_POSES = _method(pose_generation_pb2, "PoseGenerationService", "EncodePoses")
DECODE_LATENTS = _method(pose_generation_pb2, "PoseGenerationService", "DecodeLatents")
SCORE_POSES = _method(pose_generation_pb2, "PoseGenerationService", "ScorePoses")
LIST_MODELS = _method(model_pb2, "ModelService", "ListModels")
GET_MODEL = _method(model_pb2, "ModelService", "GetModel")

UNARY_METHODS = tuple(
    method.path
    for method in (
        LIFT,
        CHECK_REPROJECTION,
        FUSE_POSES,
        SAMPLE_POSES,
        ENCODE_POSES,
        DECODE_LATENTS,
        SCORE_POSES,
        LIST_MODELS,
        GET_MODEL,
    )
)
"""Paths of those with one request and one answer. None of them changes anything, so each may be sent again."""
