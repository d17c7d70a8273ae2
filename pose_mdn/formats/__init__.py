"""Files in, files out."""

from pose_mdn.formats.cameras.registry import camera_formats, read_camera, read_cameras
from pose_mdn.formats.fused.npz import read_fused, write_fused
from pose_mdn.formats.hypotheses.files import read_hypotheses, write_hypotheses
from pose_mdn.formats.keypoints.files import write_keypoints
from pose_mdn.formats.keypoints.keypoint_format import KeypointFormat
from pose_mdn.formats.keypoints.registry import keypoint_formats, read_keypoints
from pose_mdn.formats.results.registry import result_formats
from pose_mdn.formats.results.result_format import ResultFormat

__all__ = [
    "KeypointFormat",
    "ResultFormat",
    "camera_formats",
    "keypoint_formats",
    "read_camera",
    "read_cameras",
    "read_fused",
    "read_hypotheses",
    "read_keypoints",
    "result_formats",
    "write_fused",
    "write_hypotheses",
    "write_keypoints",
]
