r"""Whether two rows of two calibrated views are one person, in nats: negative if that is more probable than two people.

Where a joint of one person is, its two rays meet. For every joint the points at distances t, u on the rays are found
that lie nearest to each other, by

    minimise |t d - u e - w|² / σ²  +  (t - t₀)² / (ρ t₀)²  +  (u - u₀)² / (ρ u₀)²

with unit rays d and e, the way w from one camera to the other, the keypoints' noise σ there, and a weak prior, ρ = 0.3,
that the lifted poses give, so that rays along one line (cameras that face each other) stay harmless. Then three
things must fit, each compared with how it is between any two people:

- **epipolar**: what is left, |t d - u e - w| / σ, which is the distance of the rays in units of the noise;
- **distance**: the mean of ln(t / t₀), and of ln(u / u₀), must be small: the lifted pose and the triangulated one are
  of one size. Rays of two people may meet, but hardly where people of human size are;
- **posture**: the depths of the triangulated joints must be those of the mixture, in each view.

Each term counts as so many independent joints as it has errors of its own: they are shared by the joints of a body.
"""

import numpy as np

from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.people.observations import Float64Array
from pose_mdn.people.rays import ViewRays

_PRIOR = 0.3
"""ρ: standard deviation of a lifted distance, as part of it."""
_ANY_DISTANCE_M = 0.5
"""How far apart the rays of two people are."""
_LOG_SCALE_STD, _LOG_SCALE_ANY = 0.10, 0.35
_ANY_DEPTH_M = 0.3
_INDEPENDENT_RAYS, _INDEPENDENT_DEPTHS = 5.0, 2.5
_WORST_JOINT = 5.0
"""Of a joint that the detector put anywhere, nats."""
_WORST_SCALE = 8.0
_FEWEST_JOINTS = 3
_STRONGEST = 12.0
"""No single frame may decide alone."""


def same_person(one: ViewRays, other: ViewRays) -> Float64Array:
    """(P,) evidence of P pairs of rows; 0 where too few joints are seen by both.

    Args:
        one: P rows of one view.
        other: P rows of another.
    """
    weight = one.weight * other.weight
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    range_one, range_other, gap, noise, spread_one, spread_other = _triangulate(one, other)
    rays = np.minimum(np.square(gap / noise) / 2.0, _WORST_JOINT) + np.minimum(np.log(noise / _ANY_DISTANCE_M), 0.0)
    nats = _INDEPENDENT_RAYS * (share * rays).sum(axis=1)
    nats += _fit_of_depths(one, range_one, spread_one, share)
    nats += _fit_of_depths(other, range_other, spread_other, share)
    known = (weight > 0).sum(axis=1) >= _FEWEST_JOINTS
    return np.where(known, np.clip(np.nan_to_num(nats), -_STRONGEST, _STRONGEST), 0.0)


def _triangulate(one: ViewRays, other: ViewRays) -> tuple[Float64Array, ...]:
    """(P, 17) distances on the rays of both views, gaps, their noise, and standard deviations of the distances."""
    way = other.center_m - one.center_m
    prior_one, prior_other = one.range_m, other.range_m
    noise_one, noise_other = one.std_rad[:, None] * prior_one, other.std_rad[:, None] * prior_other
    noise = np.hypot(noise_one, noise_other)
    cosine = (one.direction * other.direction).sum(axis=-1)
    towards_one, towards_other = one.direction @ way, other.direction @ way
    # The normal equations, multiplied by σ².
    stiff_one, stiff_other = np.square(noise / (_PRIOR * prior_one)), np.square(noise / (_PRIOR * prior_other))
    first, second = 1.0 + stiff_one, 1.0 + stiff_other
    right_one, right_other = towards_one + stiff_one * prior_one, -towards_other + stiff_other * prior_other
    determinant = first * second - cosine * cosine
    range_one = (second * right_one + cosine * right_other) / determinant
    range_other = (first * right_other + cosine * right_one) / determinant
    gap = np.linalg.norm(range_one[..., None] * one.direction - range_other[..., None] * other.direction - way, axis=-1)
    spread_one, spread_other = noise * np.sqrt(second / determinant), noise * np.sqrt(first / determinant)
    return range_one, range_other, gap, noise, spread_one, spread_other


def _fit_of_depths(view: ViewRays, range_m: Float64Array, spread_m: Float64Array, share: Float64Array) -> Float64Array:
    """(P,) nats of distance and posture in one view, of joints at (P, 17) distances with standard deviations."""
    expected = view.range_m
    trust = share / np.square(0.05 + spread_m / expected)
    trust /= np.maximum(trust.sum(axis=1, keepdims=True), 1e-12)
    log_scale = (trust * np.log(np.maximum(range_m, 0.05) / expected)).sum(axis=1)
    std = np.hypot(_LOG_SCALE_STD, (trust * spread_m / expected).sum(axis=1))
    distance = np.minimum(np.square(log_scale / std) / 2.0, _WORST_SCALE)
    distance += np.minimum(np.log(std / _LOG_SCALE_ANY), 0.0)
    # Bodies of the lifted size, to be compared with the mixture.
    scale = np.exp(np.clip(log_scale, -1.0, 1.0))[:, None]
    relative = range_m * view.slant / scale - view.root_m[:, None]
    variance = np.square(view.std_m) + np.square(spread_m / scale)[:, None] + 0.03**2
    joints = np.minimum(np.square(relative[:, None] - view.relative_m) / (2.0 * variance), _WORST_JOINT)
    joints += np.minimum(np.log(variance / _ANY_DEPTH_M**2) / 2.0, 0.0)
    posture = view.log_mixing - _INDEPENDENT_DEPTHS * (share[:, None] * joints).sum(axis=-1)
    return np.asarray(distance - log_sum_exp(posture))
