"""Do hypotheses look like the picture? Projection, agreement with keypoints, and what is wrong where they disagree."""

from pose_mdn.reprojection.check import check_reprojection
from pose_mdn.reprojection.diagnosis import Fault
from pose_mdn.reprojection.projection import Projection, project_hypotheses
from pose_mdn.reprojection.result import CheckSettings, ReprojectionCheck

__all__ = [
    "CheckSettings",
    "Fault",
    "Projection",
    "ReprojectionCheck",
    "check_reprojection",
    "project_hypotheses",
]
