"""Models by ONNX Runtime: bundles, sessions, lifters from keypoints to hypotheses, and priors over poses."""

from pose_mdn.inference.bundle import Bundle, find_bundle, list_bundles
from pose_mdn.inference.known_body import with_known_body
from pose_mdn.inference.latent_fit import complete_poses, denoise_poses, fit_poses
from pose_mdn.inference.lifter import DEFAULT_MODEL, Lifter, load_lifter
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE
from pose_mdn.inference.online_video import OnlineVideoLifter
from pose_mdn.inference.pose_prior import DEFAULT_PRIOR, PosePrior, load_pose_prior
from pose_mdn.inference.video import lift_again, lift_video
from pose_mdn.inference.video_settings import VideoSettings

__all__ = [
    "DEFAULT_MIN_CONFIDENCE",
    "DEFAULT_MODEL",
    "DEFAULT_PRIOR",
    "Bundle",
    "Lifter",
    "OnlineVideoLifter",
    "PosePrior",
    "VideoSettings",
    "complete_poses",
    "denoise_poses",
    "find_bundle",
    "fit_poses",
    "lift_again",
    "lift_video",
    "list_bundles",
    "load_lifter",
    "load_pose_prior",
    "with_known_body",
]
