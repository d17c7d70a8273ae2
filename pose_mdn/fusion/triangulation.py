"""Pixels alone: each joint where the rays of two views or more meet, by iteratively reweighted least squares.

Letters in shapes: N rows, V views, J = 17 joints.
"""

from dataclasses import replace

import numpy as np

from pose_mdn.fusion.consensus import Consensus
from pose_mdn.fusion.posterior import Posterior
from pose_mdn.fusion.settings import Tempering
from pose_mdn.fusion.sightings import Sightings
from pose_mdn.fusion.symmetric import DIAGONAL, full, inverse, times
from pose_mdn.fusion.terms import pixel_information, weigh

_PASSES = 6
_DEGENERATE = 1e-10
"""Rays that are one line have no point in common: ratio of determinant to the cube of the mean precision."""


def triangulate(seen: Sightings, consensus: Consensus, *, noise: float, tempering: Tempering) -> Posterior:
    """Triangulate N rows; joints that fewer than two used views see are NaN, and all of them where the pelvis is.

    Args:
        seen: What views saw, as they named sides.
        consensus: Which views count, and where joints are about.
        noise: Relative standard deviation of keypoints.
        tempering: The fitted numbers.
    """
    seen = seen.with_sides(consensus.exchanged)
    joints, reference = consensus.joints, consensus.joints[:, 0]
    for _ in range(_PASSES):
        weights = weigh(seen, consensus, joints, noise, tempering)
        alone = ((weights.agreement > 0).sum(axis=1) < 2).T
        information = pixel_information(seen, replace(weights, pixels=weights.agreement), joints, reference)
        precision = information.precision
        precision[list(DIAGONAL)] += alone
        covariance, determinant = inverse(precision)
        parallel = determinant <= _DEGENERATE * (precision[list(DIAGONAL)].mean(axis=0)) ** 3
        points = np.moveaxis(times(covariance, information.vector), (0, 1), (2, 1)) + reference[:, None]
        joints = np.where((alone | parallel).T[..., None], joints, points)
    known = ~(alone | parallel).T[..., None]
    placed = np.where(known, joints, np.nan)
    each = np.where(known[..., None], np.moveaxis(full(covariance), 0, 1), np.nan)
    relative = each + each[:, :1]
    relative[:, 0] = np.where(known[:, 0, :, None], 0.0, np.nan)
    return Posterior(
        means=(placed - placed[:, :1])[:, None],
        covariance=relative[:, None],
        pelvis=placed[:, None, 0],
        pelvis_covariance=each[:, None, 0],
        mixing=np.ones((len(seen), 1)),
        weights=weights,
    )
