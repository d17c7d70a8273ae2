r"""What lifted people say about the focal length with which they were lifted.

Perspective is in the picture: near limbs are larger than far ones, the more so the nearer the camera. A lifter that is
told a wrong focal length looks for the perspective of another distance, and its hypotheses look less like the picture.
The evidence of one row is how probable its hypotheses make the keypoints,

.. math:: \ell = \log \sum_m \alpha_m \prod_j \mathcal{N}(u_j;\, \pi(X_{mj}),\, (s_{mj}^2 + n^2) I)

with s the standard deviation across the line of sight as seen in the picture and n the keypoints' noise. The hypotheses
came from the same keypoints and rows of one person depend on each other: their noise lasts, and so do the body and the
detector's habits. So the evidence of a person seen in n rows is the mean of l, tempered: 0.44 sqrt(n) times as much.
That factor was fitted by maximum likelihood of the true focal lengths of filmed clips of 1 to 40 rows (training and
validation subjects, with bones 6 % longer or shorter), which is what calibrates the posterior
(benchmarks/focal_length.py --fit). So was a bias: the evidence is highest at focal lengths a tenth too long. More than
40 rows are not looked at, since nothing was fitted to more.

Beyond `FARTHEST_M` there is no perspective to see, and the lifter was not trained there: the evidence is constant from
the focal length on that puts the person so far away.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.focal_length import GRID
from pose_mdn.geometry.pinhole import MIN_DEPTH_M, camera_to_slopes, slopes_to_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence

Float64Array = NDArray[np.float64]

TEMPERATURE = 0.44
"""What the square root of the number of rows is multiplied by."""

LOG_BIAS = 0.1
"""By how much the logarithm of the focal length that fits best is too large."""

MAX_ROWS = 40
"""Rows of one person; for more, the tempering was not fitted."""

FARTHEST_M = 9.0
"""Up to here the lifter was trained; nothing of the focal length is told from further away."""

_NOISE = 0.012
"""Of the keypoints, in parts of the person's size."""

_TINY = 1e-12


def row_evidence(hypotheses: HypothesisSequence) -> tuple[Float64Array, Float64Array]:
    """The log-likelihood of every row's keypoints, and how far away the person is.

    Args:
        hypotheses: N rows, all lifted, without lens distortion.

    Returns:
        (N,) nats, of keypoints in units of the person's size in the picture, and (N,) mean depths of the
        pelvis, metres.
    """
    weight = hypotheses.mixing_coefficients.astype(np.float64)
    root = hypotheses.root_translation_m.astype(np.float64)
    joints = hypotheses.means_m.astype(np.float64) + root[:, :, None]
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
    return np.asarray(np.logaddexp.reduce(per_hypothesis, axis=1)), (weight * root[..., 2]).sum(axis=1)


def person_evidence(log_likelihood: Float64Array, depth_m: Float64Array) -> Float64Array:
    """(G,) log-likelihood of the focal lengths of `GRID`, up to a constant, from one person.

    Args:
        log_likelihood: (G, N) that of the person's rows, lifted with each focal length.
        depth_m: (G, N) how far away the rows are there.
    """
    rows = log_likelihood.shape[1]
    curve = TEMPERATURE * np.sqrt(rows) * log_likelihood.mean(axis=1)
    # Depth grows with the focal length; the running maximum keeps the search for the crossing well defined.
    depth = np.maximum.accumulate(depth_m.mean(axis=1))
    farthest = np.interp(FARTHEST_M, depth, GRID, left=GRID[0], right=GRID[-1])
    return np.asarray(np.interp(np.minimum(GRID + LOG_BIAS, farthest), GRID, curve))
