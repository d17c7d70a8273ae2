"""Open Inference Protocol: tensors with names, types and shapes.

bytes -> *twin* -> header, seen before? -> *plan* -> arrays -> graph -> arrays -> *answer* -> bytes

`request` states what a valid request is. `plan` remembers what it said of the headers of earlier requests, so that a
client which sends the same header again pays for a look-up.
"""

from pose_mdn_server.codec.open_inference.answer import (
    encode_infer_response,
    encode_stream_error,
    encode_stream_response,
)
from pose_mdn_server.codec.open_inference.description import encode_config, encode_metadata
from pose_mdn_server.codec.open_inference.parameters import Wishes, decode_parameters
from pose_mdn_server.codec.open_inference.plan import InferRequestTwin, PlannedRequests
from pose_mdn_server.codec.open_inference.request import InferJob, decode_infer_request

__all__ = [
    "InferJob",
    "InferRequestTwin",
    "PlannedRequests",
    "Wishes",
    "decode_infer_request",
    "decode_parameters",
    "encode_config",
    "encode_infer_response",
    "encode_metadata",
    "encode_stream_error",
    "encode_stream_response",
]
