"""Hypotheses that agree across views, and the multi-view protocol of Li and Lee (CVPR 2019).

For each view the hypothesis is chosen that is most consistent with those of the other views, and the chosen ones are
averaged, relative to the pelvis and in the axes of the world.

Letters in shapes: N rows, V views, M hypotheses, J = 17 joints.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.consensus import Consensus
from pose_mdn.fusion.posterior import Posterior
from pose_mdn.fusion.settings import Tempering
from pose_mdn.fusion.sightings import Sightings
from pose_mdn.fusion.symmetric import Float64Array
from pose_mdn.fusion.terms import weigh


def inconsistency_m(seen: Sightings, used: NDArray[np.bool_]) -> Float64Array:
    """(N, V, M) how far each hypothesis is from the nearest of each other view, mean over joints and views, metres.

    NaN where a view is not used, or is the only one.

    Args:
        seen: N rows of V views.
        used: (N, V) views that count.
    """
    views = seen.present.shape[1]
    real = np.isfinite(seen.log_mixing)
    total, count = np.zeros(seen.log_mixing.shape), np.zeros(seen.log_mixing.shape)
    for view in range(views):
        for other in range(views):
            if other == view:
                continue
            apart = seen.means[:, view, :, None] - seen.means[:, other, None]
            distance = np.linalg.norm(apart, axis=-1).mean(axis=-1)
            nearest = np.where(real[:, other, None], distance, np.inf).min(axis=-1)
            counts = (used[:, view] & used[:, other])[:, None]
            total[:, view] += np.where(counts, nearest, 0.0)
            count[:, view] += counts
    with np.errstate(invalid="ignore"):
        return np.where(real, total / count, np.nan)


def fuse_consistent(seen: Sightings, consensus: Consensus, *, noise: float, tempering: Tempering) -> Posterior:
    """Average each view's most consistent hypothesis; a single view's most probable one stands alone.

    The pelvis is where the views' consensus puts it. Covariances are means of those chosen, as if views erred alike.

    Args:
        seen: What views saw.
        consensus: Which views count, and where joints are about.
        noise: Relative standard deviation of keypoints.
        tempering: The fitted numbers.
    """
    used = consensus.used & ~consensus.exchanged
    found = inconsistency_m(seen, used)
    score = np.where(np.isfinite(found), -found, np.where(np.isnan(found), seen.log_mixing - 1e6, -np.inf))
    chosen = score.argmax(axis=-1)[..., None]
    means = np.take_along_axis(seen.means, chosen[..., None, None], axis=2)[:, :, 0]
    across, along = (
        np.square(np.take_along_axis(std, chosen[..., None], axis=2)[:, :, 0]) for std in (seen.across, seen.along)
    )
    share = used / np.maximum(used.sum(axis=1, keepdims=True), 1)
    spread = across[..., None, None] * np.eye(3) + (along - across)[..., None, None] * _outer(seen.toward)[:, :, None]
    covariance = np.einsum("nv,nvjab->njab", share, spread)
    covariance[:, 0] = 0.0
    depth = np.linalg.norm(consensus.joints[:, None, 0] - seen.center, axis=-1)
    pelvis = np.square((noise * seen.noise[..., 0] * depth * share).sum(axis=1))
    weights = weigh(seen.with_sides(consensus.exchanged), consensus, consensus.joints, noise, tempering)
    return Posterior(
        means=np.einsum("nv,nvjc->njc", share, means)[:, None],
        covariance=covariance[:, None],
        pelvis=consensus.joints[:, None, 0],
        pelvis_covariance=(pelvis[:, None, None] * np.eye(3))[:, None],
        mixing=np.ones((len(seen), 1)),
        weights=weights,
    )


def _outer(vector: Float64Array) -> Float64Array:
    return np.asarray(vector[..., :, None] * vector[..., None, :])
