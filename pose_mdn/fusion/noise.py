"""How noisy keypoints are, told from how far the rays of two views miss each other.

Rays of one joint from C₁ along d₁ and from C₂ along d₂ pass each other at (C₂ - C₁)·n with n = d₁ × d₂ / |d₁ × d₂|,
which with noise s per unit of the persons' sizes σ₁, σ₂ (as slopes) at distances r₁, r₂ has the standard deviation
s √(σ₁² r₁² + σ₂² r₂²). It needs no triangulation, and its median over joints and rows bears gross errors.

Letters in shapes: N rows, V views, J = 17 joints.
"""

from itertools import combinations

import numpy as np

from pose_mdn.fusion.sightings import Sightings
from pose_mdn.fusion.symmetric import Float64Array

USUAL_NOISE = 0.012
"""Of the person's size; what is assumed of few keypoints."""
NOISE_RANGE = (0.002, 0.025)
"""Views that miss each other by more do not show the same."""
_WORTH_OF_USUAL = 34
"""The assumption counts as much as this many joints."""
_MEDIAN_OF_NORMAL = 0.6745
_SMALLEST_SINE = 0.1
"""Of the angle between rays; nearly parallel ones miss each other in no direction in particular."""


def estimate_noise(seen: Sightings) -> float:
    """Standard deviation of keypoints per axis, as part of the person's size.

    The two views that agree best decide, since others may show somebody else.

    Args:
        seen: Any number of rows; a few hundred are enough.
    """
    rays = np.concatenate([seen.slopes, np.ones_like(seen.slopes[..., :1])], axis=-1) @ seen.rotation
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    reach = seen.noise * seen.distance[..., 0][..., None]
    found = [_noise_of_pair(seen, rays, reach, u, v) for u, v in combinations(range(seen.present.shape[1]), 2)]
    noise = min(found, default=USUAL_NOISE)
    # With a single pair, noise cannot be told from two views of different things.
    return float(np.clip(noise, NOISE_RANGE[0], NOISE_RANGE[1] if len(found) > 1 else USUAL_NOISE))


def _noise_of_pair(seen: Sightings, rays: Float64Array, reach: Float64Array, first: int, second: int) -> float:
    normal = np.cross(rays[:, first], rays[:, second])
    sine = np.linalg.norm(normal, axis=-1)
    usable = seen.seen[:, first] & seen.seen[:, second] & (sine > _SMALLEST_SINE)
    if not usable.any():
        return USUAL_NOISE
    missed = np.abs(normal @ (seen.center[second] - seen.center[first]))[usable] / sine[usable]
    relative = missed / np.hypot(reach[:, first], reach[:, second])[usable]
    noise = float(np.median(relative)) / _MEDIAN_OF_NORMAL
    count = int(usable.sum())
    mean_square = (_WORTH_OF_USUAL * USUAL_NOISE**2 + count * noise**2) / (_WORTH_OF_USUAL + count)
    return float(np.sqrt(mean_square))
