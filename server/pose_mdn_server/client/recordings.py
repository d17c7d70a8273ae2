"""Long recordings as calls of a size that servers take, whose answers are together what one call would give."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pose_mdn.config.ranges import require
from pose_mdn.geometry.body import KnownBody
from pose_mdn.inference.known_camera import resolve_camera
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.codec.lifting import MAX_ANSWERED_POSES, decode_lift_response, encode_lift_request
from pose_mdn_server.codec.methods import LIFT
from pose_mdn_server.errors import OverloadedError, ServerError

DEFAULT_POSES_PER_CALL = 1024
CALLS_PER_CHANNEL = 2
"""One whose poses are being lifted, and one that is there when the model is free again."""

PATIENCE_S = 60.0
"""After so long of refusals a call is given up."""
_SHORTEST_DELAY_S, _LONGEST_DELAY_S = 0.05, 2.0
"""Of our own, where the server asks for less."""


@dataclass(frozen=True, kw_only=True)
class RecordingSettings:
    """What is asked of every row of a recording; names as in `lift`, and nothing that makes rows depend on each other.

    Attributes:
        poses_per_call: Rows in each call.
    """

    model: str = "mdn_lifter"
    body: KnownBody | None = None
    num_hypotheses: int | None = None
    seed: int = 0
    poses_per_call: int = DEFAULT_POSES_PER_CALL

    def __post_init__(self) -> None:
        require(self.poses_per_call >= 1, "poses_per_call", ">= 1", self.poses_per_call)


class Recording:
    """One sequence, to be lifted in parts.

    A camera that is not known is assumed here, from all rows, as the library and the server do in one call.

    Raises:
        InputError: As of `Lifter.lift`.
    """

    def __init__(self, sequence: KeypointSequence, settings: RecordingSettings) -> None:
        refuse_percentages(sequence.confidence)
        self._settings = settings
        self._assumed: str | None = None
        if sequence.intrinsics is None and len(sequence):
            camera = resolve_camera(sequence, DEFAULT_MIN_CONFIDENCE)
            sequence, self._assumed = replace(sequence, intrinsics=camera.intrinsics[0]), camera.source
        self._sequence = sequence
        rows = settings.poses_per_call
        if settings.num_hypotheses:
            rows = max(1, min(rows, MAX_ANSWERED_POSES // settings.num_hypotheses))
        self._starts = range(0, max(1, len(sequence)), rows)

    @property
    def num_calls(self) -> int:
        """In how many parts it is lifted."""
        return len(self._starts)

    def exchanges(self) -> Iterator[Exchange[HypothesisSequence]]:
        """The calls, in the order of rows."""
        name, _, version = self._settings.model.partition("/")
        for start in self._starts:
            part = self._sequence.take(slice(start, start + self._starts.step))
            request = encode_lift_request(
                part,
                model_name=name,
                model_version=version,
                body=self._settings.body,
                num_hypotheses=self._settings.num_hypotheses,
                seed=self._settings.seed,
            )
            yield Exchange(LIFT, request, partial(decode_lift_response, sequence=part))

    def join(self, answers: Sequence[HypothesisSequence]) -> HypothesisSequence:
        """What one call would have answered.

        Raises:
            ServerError: Another version of the model answered some of the calls.
        """
        models = sorted({answer.model for answer in answers})
        if len(models) > 1:
            raise ServerError(
                f"model: expected one version for the whole recording, got {' and '.join(models)}; the server changed "
                "it meanwhile: lift again, or name a version"
            )
        whole = answers[0] if len(answers) == 1 else HypothesisSequence.concatenate(answers)
        return whole if self._assumed is None else replace(whole, intrinsics_source=self._assumed)


class Patience:
    """When to try again what a server was too busy for."""

    def __init__(self) -> None:
        self._refusals = 0
        self._give_up_at = time.monotonic() + PATIENCE_S

    def delay_s(self, refused: OverloadedError) -> float:
        """At least what the server asks for, longer each time, and never the same for all who wait.

        Raises:
            OverloadedError: That of the refusal; it went on for too long.
        """
        own = min(_LONGEST_DELAY_S, _SHORTEST_DELAY_S * 2**self._refusals)
        delay: float = max(refused.retry_after_s, own) * random.uniform(1.0, 1.5)
        self._refusals += 1
        if time.monotonic() + delay > self._give_up_at:
            raise refused
        return delay
