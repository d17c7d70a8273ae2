"""pose_mdn.v1.PoseLiftingService."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from pose_mdn.inference import Lifter, with_known_body
from pose_mdn.inference.focal_length import lift_with_unknown_focal_length
from pose_mdn.inference.known_camera import resolve_camera
from pose_mdn.inference.known_scale import with_known_scale
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn_server.batching import Batcher, Columns
from pose_mdn_server.calls import Answers, Call, Method, Pending, StreamMethod, UnaryMethod
from pose_mdn_server.codec.lifting import LiftJob, decode_lift_request, encode_lift_response
from pose_mdn_server.codec.short_lift import LiftFrame, LiftHeader, ShortLift, ShortLiftDecoder
from pose_mdn_server.lanes import LiftLane
from pose_mdn_server.models import ModelStore
from pose_mdn_server.rpc import pose_lifting_pb2
