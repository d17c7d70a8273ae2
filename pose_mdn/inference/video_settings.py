"""How films are lifted."""

from dataclasses import dataclass, field

from pose_mdn.errors import InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.video import AFTER_KEYPOINTS, KeypointSettings, SmoothingSettings


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """Of all stages.

    Attributes:
        keypoints: How keypoints are smoothed before they are lifted.
        hypotheses: How what was lifted from them is linked and smoothed.
        min_confidence: Joints below this are missing.
        body: The size of everybody, or of each person, if it is known.
    """

    keypoints: KeypointSettings = field(default_factory=KeypointSettings)
    hypotheses: SmoothingSettings = AFTER_KEYPOINTS
    min_confidence: float = DEFAULT_MIN_CONFIDENCE
    body: KnownBody | KnownBodies | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            message = f"min_confidence: expected a number in [0, 1], got {self.min_confidence}"
            raise InputError(message, field="min_confidence")
