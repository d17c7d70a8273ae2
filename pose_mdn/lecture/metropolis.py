"""Random-walk Metropolis sampling: points of a density that is known up to a factor."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def metropolis(
    log_density: Callable[[Floats], Floats], starts: Floats, *, steps: int, step_size: float, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Let several chains walk about at random, uphill always and downhill as often as the densities compare.

    A step from x to x' is accepted with probability min(1, p(x') / p(x)). Metropolis et al., "Equation of state
    calculations by fast computing machines", 1953.

    Args:
        log_density: Takes (C, D) points, gives (C,) log-densities up to a constant.
        starts: (C, D), one for each chain.
        steps: Of each chain.
        step_size: Standard deviation of a proposed step, in each coordinate.
        rng: Source of randomness.

    Returns:
        (steps, C, D) where the chains were after each step, and the share of proposals that were accepted.
    """
    points, height = np.array(starts, dtype=np.float64), log_density(starts)
    chain = np.empty((steps, *points.shape))
    accepted = 0
    for step in range(steps):
        proposal = points + step_size * rng.standard_normal(points.shape)
        proposed = log_density(proposal)
        take = np.log(rng.uniform(size=len(points))) < proposed - height
        points, height = np.where(take[:, None], proposal, points), np.where(take, proposed, height)
        chain[step] = points
        accepted += int(take.sum())
    return chain, accepted / (steps * len(points))
