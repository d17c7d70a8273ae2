"""Whether what is said to be less certain is less exact."""

import numpy as np
from numpy.typing import NDArray


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Spearman's rank correlation of (N,) values: 1 in the same order, 0 if unrelated, NaN if constant.

    Between stated standard deviations and errors it says how well the surest answers can be picked out.
    """
    ranks = np.stack([_mean_ranks(one), _mean_ranks(other)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.sum(ranks * ranks, axis=1))
    return float(ranks[0] @ ranks[1] / norms.prod()) if norms.all() else float("nan")


def _mean_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) ranks; equal values share the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean_rank: NDArray[np.float64] = ends - 0.5 * (counts + 1)
    return mean_rank[group]
