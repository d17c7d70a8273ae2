r"""What lifted people say about the focal length with which they were lifted.

Perspective is in the picture: near limbs are larger than far ones, the more so the nearer the camera. A lifter that is
told a wrong focal length looks for the perspective of another distance, and three things of its answer show it, each a
mean over the rows of one person:

- the log-likelihood of the keypoints under the hypotheses, log sum_m a_m prod_j N(u_j; pi(X_mj), s_mj^2 + n^2), with
  s the standard deviation across the line of sight in the picture and n the keypoints' noise;
- the mean logarithm of the standard deviations along the line of sight, least where the picture makes sense;
- the logarithm of the stature guessed.

Their weighted sum, times the square root of the number of rows n (rows of one person are dependent: their noise lasts,
and so does the body), is the log-likelihood of the focal length. The three weights were fitted by maximum likelihood of
the true focal lengths of filmed clips of training and validation subjects, which calibrates the posterior as well
(benchmarks/focal_length.py). Beyond `FARTHEST_M` there is no perspective to see, and the lifter was not trained there:
the evidence is constant from the focal length on that puts the person so far away.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.focal_length import GRID
from pose_mdn.geometry.known_body import stature_m
from pose_mdn.geometry.pinhole import MIN_DEPTH_M, camera_to_slopes, slopes_to_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence

Float64Array = NDArray[np.float64]

FARTHEST_M = 9.0
"""Up to here the lifter was trained; nothing of the focal length is told from further away."""

WEIGHTS = np.array([0.504, -1.824, 3.632])
"""Of the three terms, per square root of a row."""

_NOISE = 0.012
"""Of the keypoints, in parts of the person's size."""

_TINY = 1e-12


def row_terms(hypotheses: HypothesisSequence) -> tuple[Float64Array, Float64Array]:
    """The three terms of every row, and how far away it is.

    Args:
        hypotheses: N rows, all lifted, without lens distortion.

    Returns:
        (N, 3) terms, and (N,) mean depths of the pelvis in metres.
    """
    weight = hypotheses.mixing_coefficients.astype(np.float64)
    means = hypotheses.means_m.astype(np.float64)
    root = hypotheses.root_translation_m.astype(np.float64)
    joints = means + root[:, :, None]
    likelihood = _log_likelihood(hypotheses, joints, weight)
    along = np.log(np.maximum(hypotheses.std_m[:, :, 1:, 1].astype(np.float64), _TINY)).mean(axis=-1)
    terms = [
        likelihood,
        (weight * along).sum(axis=1),
        np.log(np.maximum((weight * stature_m(means)).sum(axis=1), _TINY)),
    ]
    return np.stack(terms, axis=-1), (weight * root[..., 2]).sum(axis=1)


def person_evidence(terms: Float64Array, depth_m: Float64Array) -> Float64Array:
    """(G,) log-likelihood of the focal lengths of `GRID`.

    Args:
        terms: (G, N, 3) those of one person's rows, lifted at each focal length.
        depth_m: (G, N) how far away the rows are there.
    """
    curve = np.sqrt(terms.shape[1]) * terms.mean(axis=1) @ WEIGHTS
    # Depth grows with the focal length; the running maximum keeps the search for the crossing well defined.
    depth = np.maximum.accumulate(depth_m.mean(axis=1))
    farthest = np.interp(FARTHEST_M, depth, GRID, left=GRID[0], right=GRID[-1])
    return np.asarray(np.interp(np.minimum(GRID, farthest), GRID, curve))


def _log_likelihood(hypotheses: HypothesisSequence, joints: Float64Array, weight: Float64Array) -> Float64Array:
    """(N,) of the keypoints in units of the person's size, so that large pictures do not count for more."""
    seen = hypotheses.confidence > 0
    keypoints = np.where(seen[..., None], hypotheses.keypoints_px.astype(np.float64), np.nan)
    size = np.linalg.norm(np.nanmax(keypoints, axis=1) - np.nanmin(keypoints, axis=1), axis=-1)[:, None, None]
    projected = slopes_to_pixels(camera_to_slopes(joints), hypotheses.intrinsics[:, None])
    error = (projected - keypoints[:, None]) / size[..., None]
    depth = np.maximum(joints[..., 2], MIN_DEPTH_M)
    across = hypotheses.std_m[..., 0] * hypotheses.intrinsics[:, 0, 0, None, None] / depth / size
    variance = across**2 + _NOISE**2
    per_joint = -0.5 * (error**2).sum(axis=-1) / variance - np.log(variance)
    per_hypothesis = np.where(seen[:, None], per_joint, 0.0).sum(axis=-1) + np.log(np.maximum(weight, _TINY))
    return np.asarray(np.logaddexp.reduce(per_hypothesis, axis=1))
