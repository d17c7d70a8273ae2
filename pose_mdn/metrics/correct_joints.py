"""Shares of joints and of poses that are right: PCK, AUC, CPS."""

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from pose_mdn.array_types import Array
from pose_mdn.skeletons import HUMAN36M17

PCK_THRESHOLD_MM = 150.0
"""Half of a head, the threshold of the MPI-INF-3DHP benchmark."""

AUC_THRESHOLDS_MM: NDArray[np.float64] = np.arange(0.0, 151.0, 5.0)
"""Thresholds over which PCK is averaged: 0, 5, ..., 150."""

PCK_JOINTS = tuple(
    index for index, name in enumerate(HUMAN36M17.joint_names) if name not in {"pelvis", "spine", "neck_nose"}
)
"""The 14 joints that count: the root has no error, and spine and nose are placed differently by every data set."""

CPS_JOINTS = tuple(index for index, name in enumerate(HUMAN36M17.joint_names) if name != "spine")
"""The 16 joints that must all be right in a correct pose."""

CPS_LIMIT_MM = 300
"""Largest threshold of the correct poses score."""


def pck(joint_errors_mm: Array, threshold_mm: float = PCK_THRESHOLD_MM) -> Array:
    """(...) share of the 14 joints whose error is below a threshold: Mehta et al., 3DV 2017.

    Args:
        joint_errors_mm: (..., 17) distances of the joints of root-relative poses from the truth.
        threshold_mm: Below this a joint is right.
    """
    xp = array_namespace(joint_errors_mm)
    right = joint_errors_mm[..., list(PCK_JOINTS)] < threshold_mm
    return xp.mean(xp.astype(right, joint_errors_mm.dtype), axis=-1)


def auc(joint_errors_mm: Array) -> Array:
    """(...) mean of PCK over the thresholds 0, 5, ..., 150 mm of (..., 17) errors."""
    curve = [pck(joint_errors_mm, float(threshold)) for threshold in AUC_THRESHOLDS_MM]
    return sum(curve[1:], start=curve[0]) / len(curve)


def correct_poses_score(joint_errors_mm: Array) -> Array:
    """(...) number of whole thresholds from 1 to 300 mm at which a pose is right, that is, all its joints are.

    Averaged over poses this is the area under the curve of correct poses, CPS: Wandt et al., "CanonPose", CVPR 2021.
    The best of several hypotheses has the largest score.

    Args:
        joint_errors_mm: (..., 17) distances after similarity alignment.
    """
    xp = array_namespace(joint_errors_mm)
    worst = xp.max(joint_errors_mm[..., list(CPS_JOINTS)], axis=-1)
    return xp.clip(CPS_LIMIT_MM - xp.floor(worst), 0.0, None)
