"""The messages of a stream of poses.

Axis letters: N poses, J joints of the skeleton sent.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from google.protobuf.internal.containers import RepeatedScalarFieldContainer
from numpy.typing import NDArray

from pose_mdn.geometry.body import KnownBody
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.codec.lifting import (
    LiftJob,
    decode_lift_request,
    decode_lift_response,
    encode_lift_request,
    encode_lift_response,
)
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.violations import Violations

_SHARED_FIELDS = ("skeleton", "model_name", "model_version")
"""What settings and a request of its own call alike, beside camera and body."""


MAX_LAG_FRAMES = 300
"""Rows wait in memory."""


@dataclass(frozen=True, kw_only=True)
class StreamJob:
    """Valid poses of a stream, with the settings that hold for them.

    Attributes:
        lift: What a request of its own would say.
        lag: How many frames a row waits to be smoothed; `None` if each is lifted alone.
        follow_people: Whether to number them.
    """

    lift: LiftJob
    lag: int | None
    follow_people: bool


class LiftStreamDecoder:
    """Reads the messages of one stream, in order.

    Attributes:
        last_frame: The last frame number that came.

    Args:
        max_poses: Longest list of poses that one message may bring.
    """

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses
        self._settings: pose_lifting_pb2.LiftStreamSettings | None = None
        self.last_frame = -1

    def decode(self, message: pose_lifting_pb2.LiftStreamRequest) -> StreamJob | None:
        """The poses of a message; `None` if it brought settings.

        Raises:
            RequestError: With every violation found.
        """
        violations = Violations()
        kind = message.WhichOneof("message")
        if kind == "settings":
            matrix = len(message.settings.camera.intrinsics)
            violations.require(
                matrix in {0, 9},
                "settings.camera.intrinsics",
                f"expected 0 or 9 values, one matrix for all poses that follow, got {matrix}",
            )
            fps, lag = message.settings.fps, message.settings.smoothing.lag_frames
            violations.require(
                fps >= 0 and math.isfinite(fps),
                "settings.fps",
                f"expected frames per second, or 0 if they are unknown, got {fps:g}",
            )
            violations.require(
                lag <= MAX_LAG_FRAMES, "settings.smoothing.lag_frames", f"expected 0 to {MAX_LAG_FRAMES}, got {lag}"
            )
            violations.raise_if_any()
            self._settings = message.settings
            return None
        if kind is None:
            violations.add("message", "expected settings or poses, got neither; set one of the two in every message")
        elif self._settings is None:
            violations.add("settings", "expected settings in the first message, got poses; send them first")
        violations.raise_if_any()
        return self._decode_poses(message.poses)

    def _decode_poses(self, poses: pose_lifting_pb2.StreamedPoses) -> StreamJob:
        settings = self._settings
        assert settings is not None
        request = pose_lifting_pb2.LiftRequest(
            keypoints_px=poses.keypoints_px,
            confidence=poses.confidence,
            camera=settings.camera,
            body=settings.body if settings.HasField("body") else None,
            **{name: getattr(settings, name) for name in _SHARED_FIELDS},
        )
        job = decode_lift_request(request, max_poses=self._max_poses)
        count = len(job.keypoints)
        violations = Violations()
        frame = _column(poses.frame, np.full(count, self.last_frame + 1), "poses.frame", violations)
        person = _column(poses.person, np.zeros(count, dtype=np.int64), "poses.person", violations)
        violations.require(
            bool((np.diff(frame, prepend=self.last_frame) >= 0).all()),
            "poses.frame",
            f"expected frames that never fall, the first at least {self.last_frame}, got {frame[:8].tolist()}",
        )
        violations.raise_if_any()
        self.last_frame = int(frame[-1])
        people = replace(job.keypoints, frame=frame, person=person, fps=settings.fps or None)
        return StreamJob(
            lift=replace(job, keypoints=people),
            lag=settings.smoothing.lag_frames if settings.HasField("smoothing") else None,
            follow_people=settings.follow_people,
        )


def encode_lift_stream_response(
    hypotheses: HypothesisSequence | None, *, is_rest: bool = False
) -> pose_lifting_pb2.LiftStreamResponse:
    """The answer to a message of poses, perhaps of none, or what still waited."""
    if hypotheses is None:
        return pose_lifting_pb2.LiftStreamResponse(lift=pose_lifting_pb2.LiftResponse(skeleton=HUMAN36M17.name))
    return pose_lifting_pb2.LiftStreamResponse(
        lift=encode_lift_response(hypotheses),
        frame=hypotheses.frame.tolist(),
        person=hypotheses.person.tolist(),
        is_rest=is_rest,
    )


class LiftStreamEncoder:
    """Writes the messages of one stream, in order: settings whenever they change, and poses."""

    def __init__(
        self, *, model_name: str, model_version: str, body: KnownBody | None, lag: int | None, follow_people: bool
    ) -> None:
        self._model_name = model_name
        self._model_version = model_version
        self._body = body
        self._smoothing = None if lag is None else pose_lifting_pb2.Smoothing(lag_frames=lag)
        self._follow_people = follow_people
        self._sent: pose_lifting_pb2.LiftStreamSettings | None = None

    def encode(self, sequence: KeypointSequence) -> list[pose_lifting_pb2.LiftStreamRequest]:
        """The messages that ask for the next sequence to be lifted; the last one brings its poses."""
        request = encode_lift_request(
            sequence, body=self._body, model_name=self._model_name, model_version=self._model_version
        )
        settings = pose_lifting_pb2.LiftStreamSettings(
            camera=request.camera,
            body=request.body if request.HasField("body") else None,
            fps=sequence.fps or 0.0,
            smoothing=self._smoothing,
            follow_people=self._follow_people,
            **{name: getattr(request, name) for name in _SHARED_FIELDS},
        )
        poses = pose_lifting_pb2.StreamedPoses(
            keypoints_px=request.keypoints_px,
            confidence=request.confidence,
            frame=sequence.frame.tolist(),
            person=sequence.person.tolist(),
        )
        messages = [pose_lifting_pb2.LiftStreamRequest(poses=poses)]
        if settings != self._sent:
            self._sent = settings
            messages.insert(0, pose_lifting_pb2.LiftStreamRequest(settings=settings))
        return messages


def decode_lift_stream_response(
    response: pose_lifting_pb2.LiftStreamResponse, sequence: KeypointSequence
) -> HypothesisSequence:
    """Read an answer, with what `sequence`, the last one that was answered, says of all."""
    return replace(
        decode_lift_response(response.lift, sequence),
        frame=np.array(response.frame, dtype=np.int64),
        person=np.array(response.person, dtype=np.int64),
    )


def _column(
    values: RepeatedScalarFieldContainer[int], default: NDArray[np.int64], field: str, violations: Violations
) -> NDArray[np.int64]:
    """(N,) whole numbers; the default if there are none, or too many or too few, which is then noted."""
    if not violations.require(
        len(values) in {0, len(default)},
        field,
        f"expected 0 or {len(default)} values, one for each pose of the message, got {len(values)}",
    ):
        return default
    return np.array(values, dtype=np.int64) if len(values) else default
