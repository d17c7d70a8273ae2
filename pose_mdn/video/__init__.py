"""Films: hypotheses linked over time by a hidden Markov model, and smoothed with their own covariances."""

from pose_mdn.video.keypoint_smoothing import smooth_keypoints
from pose_mdn.video.linking import Links
from pose_mdn.video.sequence import link_sequence, smooth_sequence
from pose_mdn.video.settings import KeypointSettings, SmoothingSettings

__all__ = [
    "KeypointSettings",
    "Links",
    "SmoothingSettings",
    "link_sequence",
    "smooth_keypoints",
    "smooth_sequence",
]
