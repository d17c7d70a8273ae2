"""Films: hypotheses linked over time by a hidden Markov model, and smoothed with their own covariances."""

from pose_mdn.video.keypoint_smoothing import smooth_keypoints
from pose_mdn.video.linking import Links
from pose_mdn.video.online import OnlineSmoother
from pose_mdn.video.online_keypoints import OnlineKeypointSmoother
from pose_mdn.video.playing import played
from pose_mdn.video.segments import DEFAULT_FPS, moments_s
from pose_mdn.video.sequence import link_sequence, smooth_sequence
from pose_mdn.video.settings import AFTER_FUSION, AFTER_KEYPOINTS, KeypointSettings, SmoothingSettings

__all__ = [
    "AFTER_FUSION",
    "AFTER_KEYPOINTS",
    "DEFAULT_FPS",
    "KeypointSettings",
    "Links",
    "OnlineKeypointSmoother",
    "OnlineSmoother",
    "SmoothingSettings",
    "link_sequence",
    "moments_s",
    "played",
    "smooth_keypoints",
    "smooth_sequence",
]
