"""Frames to be lifted as they are seen."""

from collections import deque

from pose_mdn.geometry.body import KnownBody
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.codec.lift_stream import LiftStreamEncoder, decode_lift_stream_response
from pose_mdn_server.rpc import pose_lifting_pb2

DEFAULT_UNANSWERED = 64
"""Sequences sent ahead of their answers: two seconds of a camera, and no more than a few megabytes."""


class LiveLifting:
    """What is remembered of one stream: how it was set up, and which sequences wait for an answer.

    Args:
        model: "NAME" for its newest version, or "NAME/VERSION".
        body: The size of the people, if it is known.
        lag: How many frames late rows come out smoothed; `None` for at once and alone.
        follow_people: Have the server number people.

    Attributes:
        failure: What the caller's source of sequences raised, of which gRPC says no more than that it did.
    """

    def __init__(self, *, model: str, body: KnownBody | None, lag: int | None, follow_people: bool) -> None:
        name, _, version = model.partition("/")
        self._encoder = LiftStreamEncoder(
            model_name=name, model_version=version, body=body, lag=lag, follow_people=follow_people
        )
        self._unanswered: deque[KeypointSequence] = deque()
        self._answered: KeypointSequence | None = None
        self.failure: Exception | None = None

    def messages(self, sequence: KeypointSequence) -> list[pose_lifting_pb2.LiftStreamRequest]:
        """What to send for the next sequence."""
        refuse_percentages(sequence.confidence)
        messages = self._encoder.encode(sequence)
        self._unanswered.append(sequence)
        return messages

    def read(self, response: pose_lifting_pb2.LiftStreamResponse) -> tuple[HypothesisSequence | None, bool]:
        """The rows of an answer, if it has any, and whether it answers a sequence or brings what still waited."""
        answers = self._answered is None or not response.is_rest
        if answers:
            self._answered = self._unanswered.popleft()
        assert self._answered is not None
        return decode_lift_stream_response(response, self._answered) if response.frame else None, answers
