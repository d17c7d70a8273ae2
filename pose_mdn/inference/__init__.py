"""Lifting by ONNX Runtime: bundles, sessions, and arrays or sequences in, hypotheses out."""

from pose_mdn.inference.bundle import Bundle, find_bundle, list_bundles
from pose_mdn.inference.known_body import with_known_body
from pose_mdn.inference.lifter import DEFAULT_MODEL, Lifter, load_lifter
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.inference.online_video import OnlineVideoLifter
from pose_mdn.inference.video import lift_again, lift_video
from pose_mdn.inference.video_settings import VideoSettings

__all__ = [
    "DEFAULT_MIN_CONFIDENCE",
    "DEFAULT_MODEL",
    "Bundle",
    "Lifter",
    "OnlineVideoLifter",
    "VideoSettings",
    "find_bundle",
    "lift_again",
    "lift_video",
    "list_bundles",
    "load_lifter",
    "with_known_body",
]
