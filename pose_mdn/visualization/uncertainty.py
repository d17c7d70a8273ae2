"""How far the depth of a pose is open, as one number per row."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.poses.hypotheses import HypothesisSequence


def depth_std_m(hypotheses: HypothesisSequence) -> NDArray[np.float32]:
    """Standard deviation of the joints' depth under the whole mixture, averaged over the joints that can move.

    Depth is measured along the line of sight, relative to the pelvis. By the law of total variance the spread inside
    the components and the spread between their means both count:
    Var[z] = sum_i a_i (s_i^2 + z_i^2) - (sum_i a_i z_i)^2.

    Args:
        hypotheses: N rows of M hypotheses.

    Returns:
        (N,) metres; NaN for rows that were not lifted.
    """
    line_of_sight = hypotheses.view_rotation[:, :, 2].astype(np.float64)
    depth = np.einsum("nmjc,nc->nmj", hypotheses.means_m.astype(np.float64), line_of_sight)
    weights = hypotheses.mixing_coefficients.astype(np.float64)[:, :, None]
    mean = (weights * depth).sum(axis=1)
    inside = (weights * hypotheses.std_m[..., 1].astype(np.float64) ** 2).sum(axis=1)
    between = (weights * (depth - mean[:, None]) ** 2).sum(axis=1)
    # The pelvis, the first joint, is the origin by definition and says nothing about uncertainty.
    spread: NDArray[np.float32] = np.sqrt(inside + between)[:, 1:].mean(axis=1).astype(np.float32)
    return spread
