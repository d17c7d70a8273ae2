"""The short road of the messages of a stream: poses that are lifted frame by frame, each alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from pose_mdn_server.codec.short_lift import LiftHeader, ShortLift, ShortLiftDecoder
from pose_mdn_server.codec.twins import has_unpacked, packed_twin, twin
from pose_mdn_server.codec.wire import prefix
from pose_mdn_server.rpc import pose_lifting_pb2

_Message = twin(pose_lifting_pb2.LiftStreamRequest, bytes_fields=("settings", "poses"))
_Poses = packed_twin(pose_lifting_pb2.StreamedPoses)
_LIFT = pose_lifting_pb2.LiftStreamResponse.DESCRIPTOR.fields_by_name["lift"].number


@dataclass(frozen=True, slots=True)
class ShortStreamed:
    """Valid poses of a message.

    Attributes:
        lift: The poses.
        frame: The frame of each.
        person: Who each is.
    """

    lift: ShortLift
    frame: Sequence[int]
    person: Sequence[int]


class ShortStreamDecoder:
    """Reads messages of poses under settings that make every frame independent of the others.

    Args:
        max_poses: Longest list of poses that one message may bring.
    """

    def __init__(self, *, max_poses: int) -> None:
        self._lifts = ShortLiftDecoder(max_poses=max_poses)
        self._header: LiftHeader | None = None

    def settings(self, settings: pose_lifting_pb2.LiftStreamSettings) -> None:
        """Settings that were found valid hold from now on."""
        self._header = None
        if not (settings.HasField("smoothing") or settings.follow_people or settings.HasField("body")):
            request = pose_lifting_pb2.LiftRequest(
                skeleton=settings.skeleton,
                camera=settings.camera if settings.HasField("camera") else None,
                model_name=settings.model_name,
                model_version=settings.model_version,
            )
            self._header = self._lifts.header(request.SerializeToString())

    def decode(self, data: bytes, last_frame: int) -> ShortStreamed | None:
        """Read a message; `None` if it has to take the thorough road."""
        poses = None if self._header is None else _poses_in(data)
        if self._header is None or poses is None:
            return None
        lift = self._lifts.read_poses(self._header, poses.keypoints_px, poses.confidence)
        if lift is None:
            return None
        count = len(lift.keypoints_px)
        frame = list(poses.frame) or [last_frame + 1] * count
        person = list(poses.person) or [0] * count
        in_order = frame[0] >= last_frame and frame == sorted(frame)
        if len(frame) != count or len(person) != count or not in_order or frame[0] < 0:
            return None
        return ShortStreamed(lift, frame, person)


def _poses_in(data: bytes) -> Any:
    """The poses of a message; `None` if it brings none, or not as they usually come."""
    try:
        message: Any = _Message.FromString(data)
        if message.settings or len(message.poses) != 1:
            return None
        poses = _Poses.FromString(message.poses[0])
    except DecodeError:
        return None
    return None if has_unpacked(poses) else poses


def encode_stream_answer(lift: bytes, numbers: bytes) -> bytes:
    """A LiftStreamResponse, from an encoded LiftResponse and `encode_numbers`."""
    return b"".join((prefix(_LIFT, len(lift)), lift, numbers))


def encode_numbers(frame: Sequence[int], person: Sequence[int]) -> bytes:
    """The part of a LiftStreamResponse that says which poses these are."""
    return pose_lifting_pb2.LiftStreamResponse(frame=frame, person=person).SerializeToString()
