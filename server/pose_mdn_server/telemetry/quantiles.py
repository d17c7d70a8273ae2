"""Quantiles and means from the buckets of a histogram."""

from collections.abc import Sequence


def quantile(bounds: Sequence[float], row: Sequence[int], share: float) -> float | None:
    """The value below which `share` of the observations lie, interpolated within its bucket; `None` without any.

    `row` is sum and counts, as in a snapshot. What lies above the last edge is given as that edge, as Prometheus'
    `histogram_quantile` does.
    """
    counts = row[1:]
    wanted = share * sum(counts)
    if not sum(counts):
        return None
    reached = 0
    for index, count in enumerate(counts[:-1]):
        if count and reached + count >= wanted:
            low = bounds[index - 1] if index else 0.0
            return low + (bounds[index] - low) * max(wanted - reached, 0.0) / count
        reached += count
    return bounds[-1]


def mean(row: Sequence[int], unit: float) -> float | None:
    """Sum over count, in the unit's measure; `None` without observations."""
    count = sum(row[1:])
    return row[0] * unit / count if count else None
