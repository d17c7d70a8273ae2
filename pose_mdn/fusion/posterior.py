"""All views in one posterior: passes that settle where joints are and what is believed, then the product of mixtures.

Letters in shapes: N rows, V views, M hypotheses, K components of the answer, J = 17 joints.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.body_gaussian import BodyGaussian, Information, condition
from pose_mdn.fusion.consensus import Consensus
from pose_mdn.fusion.product import multiply
from pose_mdn.fusion.settings import Tempering
from pose_mdn.fusion.sightings import Sightings
from pose_mdn.fusion.symmetric import Float64Array, full
from pose_mdn.fusion.terms import Lifted, Weights, lifted_terms, pixel_information, weigh

_PASSES = 1
"""Steps before the product; what more of them change is below half a millimetre."""


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """A mixture for each row, in the world.

    Attributes:
        means: (N, K, J, 3) joints relative to the pelvis.
        covariance: (N, K, J, 3, 3) of these; 0 for the pelvis.
        pelvis: (N, K, 3) where it is.
        pelvis_covariance: (N, K, 3, 3) of that.
        mixing: (N, K) weights, largest first.
        weights: How far each observation was believed.
    """

    means: Float64Array
    covariance: Float64Array
    pelvis: Float64Array
    pelvis_covariance: Float64Array
    mixing: Float64Array
    weights: Weights


def fuse_posterior(
    seen: Sightings, consensus: Consensus, *, noise: float, most: int, tempering: Tempering
) -> Posterior:
    """Fuse N rows.

    Args:
        seen: What views saw, as they named sides.
        consensus: Which views count, and where joints are about.
        noise: Relative standard deviation of keypoints.
        most: K.
        tempering: The fitted numbers.
    """
    seen = seen.with_sides(consensus.exchanged)
    joints, reference = consensus.joints, consensus.joints[:, 0]
    for last in range(_PASSES, -1, -1):
        weights = weigh(seen, consensus, joints, noise, tempering)
        pixels = pixel_information(seen, weights, joints, reference)
        lifted = lifted_terms(seen, weights, joints, reference, tempering)
        of_joints = Information(precision=pixels.precision[:, 1:], vector=pixels.vector[:, 1:])
        of_pelvis = Information(precision=pixels.precision[:, 0], vector=pixels.vector[:, 0])
        if last:
            body = _blended(of_joints, of_pelvis, lifted, joints - reference[:, None], tempering)
            joints = _joints(body) + reference[:, None]
    body, mixing = multiply(of_joints, of_pelvis, lifted, tempered=tempering.evidence, most=most)
    return _in_world(body, mixing, reference, weights, tempering)


def _blended(
    pixels: Information, pixels_of_pelvis: Information, lifted: Lifted, joints: Float64Array, tempering: Tempering
) -> BodyGaussian:
    """One Gaussian in which each view's components count by how well they explain (N, J, 3) joints."""
    relative = np.moveaxis(joints[:, 1:] - joints[:, :1], (2, 1), (0, 1))[..., None, None]
    xx, xy, xz, yy, yz, zz = lifted.joints.precision
    x, y, z = relative
    quadratic = xx * x * x + yy * y * y + zz * z * z + 2.0 * (xy * x * y + xz * x * z + yz * y * z)
    linear = (lifted.joints.vector * relative).sum(axis=0)
    log_share = lifted.log_mixing + tempering.evidence * (
        0.5 * lifted.log_determinant - 0.5 * lifted.exponent + (linear - 0.5 * quadratic).sum(axis=0)
    )
    share = np.exp(log_share - log_share.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    return condition(
        pixels,
        Information(
            precision=np.einsum("cjnvm,nvm->cjn", lifted.joints.precision, share),
            vector=np.einsum("cjnvm,nvm->cjn", lifted.joints.vector, share),
        ),
        Information(
            precision=pixels_of_pelvis.precision + np.einsum("cnvm,nvm->cn", lifted.pelvis.precision, share),
            vector=pixels_of_pelvis.vector + np.einsum("cnvm,nvm->cn", lifted.pelvis.vector, share),
        ),
    )


def _joints(body: BodyGaussian) -> Float64Array:
    """(..., J, 3) joints about the reference."""
    pelvis = body.pelvis[:, None]
    return np.moveaxis(np.concatenate([pelvis, pelvis + body.joints], axis=1), (0, 1), (-1, -2))


def _in_world(
    body: BodyGaussian, mixing: Float64Array, reference: Float64Array, weights: Weights, tempering: Tempering
) -> Posterior:
    views = (weights.agreement > 0).sum(axis=1)
    joints = _joints(body)
    covariance = np.moveaxis(body.joint_covariance, 0, -3)
    factor = _factor(tempering.joint_covariance, views[:, 1:])
    widened = covariance * factor[:, None, :, None, None]
    pelvis = full(body.pelvis_covariance) * _factor(tempering.pelvis_covariance, views[:, 0])[:, None, None, None]
    return Posterior(
        means=joints - joints[..., :1, :],
        covariance=np.concatenate([np.zeros_like(widened[..., :1, :, :]), widened], axis=-3),
        pelvis=joints[..., 0, :] + reference[:, None],
        pelvis_covariance=pelvis,
        mixing=mixing,
        weights=weights,
    )


def _factor(factors: tuple[float, ...], views: NDArray[np.integer]) -> Float64Array:
    """The factor for each number of views; none are as one."""
    return np.asarray(np.array(factors)[np.clip(views, 1, len(factors)) - 1])
