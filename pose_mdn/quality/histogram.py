"""Quantiles of numbers that come in pieces, in bounded memory, the same however they were cut."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_RATIO = 1.01
"""Each bin is so much wider than the one before: quantiles are right to half a percent."""
_DECADES = 7


@dataclass(frozen=True, kw_only=True)
class LogHistogram:
    """Counts of positive numbers in bins of equal ratio.

    Attributes:
        smallest: Where the first bin begins; what is smaller, 0 too, counts as this. The last bin ends at 10^7 times
            that.
    """

    smallest: float
    _counts: NDArray[np.int64] = field(init=False)
    _edges: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        bins = round(_DECADES * np.log(10.0) / np.log(_RATIO))
        object.__setattr__(self, "_edges", self.smallest * _RATIO ** np.arange(bins + 1, dtype=np.float64))
        object.__setattr__(self, "_counts", np.zeros(bins + 2, np.int64))

    def add(self, values: NDArray[np.floating]) -> None:
        """Count numbers; NaN is passed over."""
        # Comparisons alone, so that a number's bin never depends on how a logarithm is computed for its neighbours.
        bins = np.searchsorted(self._edges, values[~np.isnan(values)], side="right")
        self._counts[:] += np.bincount(bins, minlength=len(self._counts))

    def merge(self, other: "LogHistogram") -> None:
        """Count what another histogram of the same bins has counted."""
        self._counts[:] += other._counts

    def quantile(self, share: float) -> float | None:
        """The number below which a share of all lies, rounded to the middle of its bin; `None` if there are none."""
        total = int(self._counts.sum())
        if total == 0:
            return None
        rank = share * (total - 1)
        bin_ = int(np.searchsorted(np.cumsum(self._counts), rank, side="right"))
        if bin_ == 0:
            return float(self.smallest)
        return float(self._edges[min(bin_, len(self._edges) - 1) - 1] * np.sqrt(_RATIO))
