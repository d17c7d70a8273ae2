"""The messages of a stream of poses.

Axis letters: N poses, J joints of the skeleton sent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from google.protobuf.internal.containers import RepeatedScalarFieldContainer
from numpy.typing import NDArray

from pose_mdn.geometry.body import KnownBody
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
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


class LiftStreamDecoder:
    """Reads the messages of one stream, in order.

    Args:
        max_poses: Longest list of poses that one message may bring.
    """

    def __init__(self, *, max_poses: int) -> None:
        self._max_poses = max_poses
        self._settings: pose_lifting_pb2.LiftStreamSettings | None = None
        self._last_frame = -1

    def decode(self, message: pose_lifting_pb2.LiftStreamRequest) -> LiftJob | None:
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
            violations.raise_if_any()
            self._settings = message.settings
            return None
        if kind is None:
            violations.add("message", "expected settings or poses, got neither; set one of the two in every message")
        elif self._settings is None:
            violations.add("settings", "expected settings in the first message, got poses; send them first")
        violations.raise_if_any()
        return self._decode_poses(message.poses)

    def _decode_poses(self, poses: pose_lifting_pb2.StreamedPoses) -> LiftJob:
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
        frame = _column(poses.frame, np.full(count, self._last_frame + 1), "poses.frame", violations)
        person = _column(poses.person, np.zeros(count, dtype=np.int64), "poses.person", violations)
        violations.require(
            bool((np.diff(frame, prepend=self._last_frame) >= 0).all()),
            "poses.frame",
            f"expected frames that never fall, the first at least {self._last_frame}, got {frame[:8].tolist()}",
        )
        violations.raise_if_any()
        self._last_frame = int(frame[-1])
        return replace(job, keypoints=replace(job.keypoints, frame=frame, person=person))


def encode_lift_stream_response(hypotheses: HypothesisSequence) -> pose_lifting_pb2.LiftStreamResponse:
    """The answer to a message of poses."""
    return pose_lifting_pb2.LiftStreamResponse(
        lift=encode_lift_response(hypotheses),
        frame=hypotheses.frame.tolist(),
        person=hypotheses.person.tolist(),
    )


def encode_lift_stream(
    sequences: Iterable[KeypointSequence], *, model_name: str, model_version: str, body: KnownBody | None
) -> Iterator[pose_lifting_pb2.LiftStreamRequest]:
    """The messages that ask for sequences to be lifted: settings whenever they change, and poses."""
    sent = None
    for sequence in sequences:
        request = encode_lift_request(sequence, model_name=model_name, model_version=model_version, body=body)
        settings = pose_lifting_pb2.LiftStreamSettings(
            camera=request.camera,
            body=request.body if request.HasField("body") else None,
            **{name: getattr(request, name) for name in _SHARED_FIELDS},
        )
        if settings != sent:
            sent = settings
            yield pose_lifting_pb2.LiftStreamRequest(settings=settings)
        yield pose_lifting_pb2.LiftStreamRequest(
            poses=pose_lifting_pb2.StreamedPoses(
                keypoints_px=request.keypoints_px,
                confidence=request.confidence,
                frame=sequence.frame.tolist(),
                person=sequence.person.tolist(),
            )
        )


def decode_lift_stream_response(
    response: pose_lifting_pb2.LiftStreamResponse, sequence: KeypointSequence
) -> HypothesisSequence:
    """Read the answer to the message that brought `sequence`."""
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
