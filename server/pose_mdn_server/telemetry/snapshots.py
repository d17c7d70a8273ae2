"""What a process has counted, as plain numbers that go through a pipe and can be added up."""

from collections.abc import Sequence
from typing import TypedDict

Counts = dict[str, dict[str, int]]
"""By family, then by the values of the labels."""
Gauges = dict[str, dict[str, float]]
Histograms = dict[str, dict[str, list[int]]]
"""A series is its sum, then the number of observations in each bucket, the last of which has no upper edge."""


class Snapshot(TypedDict):
    """Everything that a process, or several together, have counted. Survives JSON unchanged."""

    counters: Counts
    gauges: Gauges
    histograms: Histograms


def empty() -> Snapshot:
    """Nothing was counted."""
    return {"counters": {}, "gauges": {}, "histograms": {}}


def merge(snapshots: Sequence[Snapshot]) -> Snapshot:
    """The sum of snapshots, in whatever order and grouping. Gauges add up as well; they carry their worker's name."""
    total = empty()
    for snapshot in snapshots:
        for name, counts in snapshot["counters"].items():
            into = total["counters"].setdefault(name, {})
            for key, count in counts.items():
                into[key] = into.get(key, 0) + count
        for name, levels in snapshot["gauges"].items():
            sums = total["gauges"].setdefault(name, {})
            for key, level in levels.items():
                sums[key] = sums.get(key, 0.0) + level
        for name, series in snapshot["histograms"].items():
            merged = total["histograms"].setdefault(name, {})
            for key, row in series.items():
                known = merged.get(key)
                merged[key] = list(row) if known is None else [a + b for a, b in zip(known, row, strict=True)]
    return total


def retired(snapshot: Snapshot) -> Snapshot:
    """What remains of a process that has ended: what it counted, without its present state."""
    return {"counters": snapshot["counters"], "gauges": {}, "histograms": snapshot["histograms"]}
