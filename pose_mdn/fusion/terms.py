"""What each view says of a body, as information: its pixels, its lifted hypotheses, its pelvis.

All positions are relative to a reference near the pelvis of each row, so that sums of squares lose no digits.

Letters in shapes: N rows, V views, M hypotheses, J = 17 joints, of which the pelvis is the first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.body_gaussian import Information
from pose_mdn.fusion.consensus import Consensus
from pose_mdn.fusion.settings import Tempering
from pose_mdn.fusion.sightings import Sightings
from pose_mdn.fusion.symmetric import DIAGONAL, Float64Array, dot, outer

_SMALLEST_PELVIS_M = 1e-4
"""Of the pelvis's deviation across the line of sight; far smaller than that along it, matrices cannot be inverted."""


@dataclass(frozen=True, kw_only=True)
class Lifted:
    """What hypotheses say, each of them a product of Gaussians.

    Attributes:
        joints: Of joints relative to the pelvis, (6, J - 1, N, V, M) and (3, J - 1, N, V, M).
        pelvis: Of the pelvis, (6, N, V, M) and (3, N, V, M).
        exponent: (N, V, M) sum of mᵀ L m over means m and precisions L.
        log_determinant: (N, V, M) sum of log |L|.
        log_mixing: (N, V, M) logarithms of mixing coefficients; of a view that is not used, 0 and then -inf.
    """

    joints: Information
    pelvis: Information
    exponent: Float64Array
    log_determinant: Float64Array
    log_mixing: Float64Array


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How far observations are believed.

    Attributes:
        pixels: (N, V, J) factor on the precision of each keypoint, 0 where none is used.
        lifted: (N, V, J) the same of each lifted joint.
        agreement: (N, V, J) Student's weight of each keypoint alone, 0 where there is none.
        sigma: (N, V, J) standard deviation of each slope.
        several: (N,) whether more than one view is used.
    """

    pixels: Float64Array
    lifted: Float64Array
    agreement: Float64Array
    sigma: Float64Array
    several: NDArray[np.bool_]


def weigh(seen: Sightings, consensus: Consensus, joints: Float64Array, noise: float, tempering: Tempering) -> Weights:
    """Weights at (N, J, 3) joints.

    A lifted pose has been made of the same pixels. A joint that v views see has therefore been told of v times by the
    lifters; what pixels add is that the lifters' prior counts once, not v times: (v - 1) / v of each.

    Args:
        seen: N rows of V views, with sides put right.
        consensus: Views whose keypoints count; where sides were exchanged, their hypotheses do not.
        joints: In the world.
        noise: Relative standard deviation of keypoints.
        tempering: The fitted numbers.
    """
    placed = _camera_frame(seen, joints)
    sigma = tempering.pixel_noise * noise * seen.noise
    square = np.square(placed[..., :2] / placed[..., 2:] - seen.slopes).sum(axis=-1) / np.square(sigma)
    lifters = (consensus.used & ~consensus.exchanged)[..., None]
    there = seen.seen & consensus.used[..., None]
    student = np.where(there, tempering.tail / (tempering.tail + square), 0.0)
    total = student.sum(axis=1, keepdims=True)
    several = there.sum(axis=1, keepdims=True) > 1
    # Views whose hypotheses are not believed have told of nothing before.
    told = (student * lifters).sum(axis=1, keepdims=True)
    share = np.where(several, np.maximum(total - np.minimum(told, 1.0), 0.0) / np.maximum(total, 1e-9), 0.0)
    believed = np.where(there & several, tempering.lifted_tail / (tempering.lifted_tail + square), 1.0) * lifters
    return Weights(
        pixels=student * share,
        lifted=believed,
        agreement=student,
        sigma=sigma,
        several=np.asarray(consensus.used.sum(axis=1) > 1),
    )


def pixel_information(seen: Sightings, weights: Weights, joints: Float64Array, reference: Float64Array) -> Information:
    """Of keypoints about where joints are, summed over views: (6, J, N) and (3, J, N).

    With slope s = (x, y) and a camera X ↦ R (X - C), the residual s - (R (X - C))_xy / Z is a (X - C) / Z with
    a = s R_z - R_xy, linear in X up to the depth Z, which is that of `joints`.

    Args:
        seen: N rows of V views.
        weights: Factors on their precisions.
        joints: (N, J, 3) where they are about, in the world.
        reference: (N, 3) origin of the answer.
    """
    scale = weights.pixels / np.square(weights.sigma * _camera_frame(seen, joints)[..., 2])
    offset = np.moveaxis(seen.center - reference[:, None], -1, 0)[..., None]
    precision, vector = np.zeros((6, *scale.shape)), np.zeros((3, *scale.shape))
    for axis in range(2):
        slope = seen.slopes[..., axis]
        row = np.stack([slope * seen.rotation[:, 2, i, None] - seen.rotation[:, axis, i, None] for i in range(3)])
        precision += scale * outer(row)
        vector += scale * dot(row, offset) * row
    return Information(precision=np.moveaxis(precision.sum(axis=2), 2, 1), vector=np.moveaxis(vector.sum(axis=2), 2, 1))


def lifted_terms(
    seen: Sightings,
    weights: Weights,
    joints: Float64Array,
    reference: Float64Array,
    tempering: Tempering,
) -> Lifted:
    """Of hypotheses, each scaled to the distance at which its person is.

    One camera cannot tell size from distance, so a lifted pose is a shape; where the pelvis is known from several
    views, s = its distance / the lifted one is the factor that its metres need. With one view, s = 1.

    Args:
        seen: N rows of V views.
        weights: How far each lifted joint is believed.
        joints: (N, J, 3) where they are about, in the world.
        reference: (N, 3) origin of the answer.
        tempering: The fitted numbers.
    """
    several = weights.several[:, None, None]
    believed = np.moveaxis(weights.lifted, -1, 0)[..., None]
    toward = np.moveaxis(seen.toward, -1, 0)[..., None]
    apart = ((joints[:, None, 0] - seen.center) * seen.toward).sum(axis=-1)[..., None]
    scale = np.where(several, apart / seen.distance, 1.0)
    floor = np.square(np.where(several, tempering.floor_m, 0.0))
    across, along = (
        believed[1:] / (np.square(np.moveaxis(std[..., 1:], -1, 0)) + floor) for std in (seen.across, seen.along)
    )
    mean = np.moveaxis(seen.means[..., 1:, :] * scale[..., None, None], (-1, -2), (0, 1))
    information = _along_and_across(across, along, toward[:, None], mean)
    wide = np.maximum(tempering.pelvis * weights.sigma[..., :1] * seen.distance, _SMALLEST_PELVIS_M)
    pelvis_mean = np.moveaxis(seen.pelvis - reference[:, None, None], -1, 0)
    pelvis = _along_and_across(
        believed[0] / np.square(wide), believed[0] / np.square(tempering.distance * seen.distance), toward, pelvis_mean
    )
    with np.errstate(divide="ignore"):
        determinant = np.where(believed[1:] > 0, 2.0 * np.log(across) + np.log(along), 0.0).sum(axis=0)
    unused = np.where(np.arange(seen.log_mixing.shape[-1]) == 0, 0.0, -np.inf)
    return Lifted(
        joints=information,
        pelvis=pelvis,
        exponent=dot(information.vector, mean).sum(axis=0) + dot(pelvis.vector, pelvis_mean),
        log_determinant=determinant,
        log_mixing=np.where(np.any(weights.lifted > 0, axis=-1)[..., None], seen.log_mixing, unused),
    )


def _along_and_across(
    across: Float64Array, along: Float64Array, toward: Float64Array, mean: Float64Array
) -> Information:
    """Precision across · I + (along - across) d dᵀ, and its product with the mean."""
    precision = (along - across) * outer(toward)
    precision[list(DIAGONAL)] += across
    return Information(precision=precision, vector=across * mean + (along - across) * dot(toward, mean) * toward)


def _camera_frame(seen: Sightings, joints: Float64Array) -> Float64Array:
    """(N, V, J, 3) world joints (N, J, 3) in each camera's frame, at least a centimetre before it."""
    placed = np.asarray((joints[:, None] - seen.center[:, None]) @ seen.rotation.mT)
    placed[..., 2] = np.maximum(placed[..., 2], 0.01)
    return placed
