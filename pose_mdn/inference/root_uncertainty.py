"""How uncertain the pelvis's place is because people's size is.

Distance is size over angle: a relative error of the size is the same relative error of the distance along the line of
sight. Beside it, the distance of a person of known size has an error of its own, from keypoints and posture.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence

Float64Array = NDArray[np.float64]

PRIOR_SIZE_LOG_STD = 0.055
"""Of the statures of adults, men and women together (1.76 +- 0.07 m and 1.63 +- 0.065 m), of whom nothing else is
known. It holds for no child."""

_GIVEN_SIZE_LOG_STD = 0.035
"""Root mean square error of log distance of validation subjects whose stature and camera are known."""

_ACROSS_M = 0.02
"""What the keypoints' noise (1.2 % of the person's size) moves the pelvis across the line of sight."""


def root_std_of_size(hypotheses: HypothesisSequence, size_log_std: float) -> Float64Array:
    """(N, M, 2) standard deviations of the pelvis across and along the line of sight, for a size so uncertain."""
    distance = np.linalg.norm(hypotheses.root_translation_m.astype(np.float64), axis=-1)
    along = distance * np.hypot(size_log_std, _GIVEN_SIZE_LOG_STD)
    return np.stack([np.where(np.isnan(along), np.nan, _ACROSS_M), along], axis=-1)


def with_size_log_std(hypotheses: HypothesisSequence, size_log_std: float) -> Float64Array:
    """(N, M, 2) `root_std_m` of people whose size has become known so well; what the focal length leaves open stays."""
    known = root_std_of_size(hypotheses, size_log_std)
    if np.isnan(hypotheses.root_std_m).all():
        return known
    prior = root_std_of_size(hypotheses, PRIOR_SIZE_LOG_STD)
    of_focal_length = np.maximum(hypotheses.root_std_m.astype(np.float64) ** 2 - prior**2, 0.0)
    return np.sqrt(of_focal_length + known**2)
