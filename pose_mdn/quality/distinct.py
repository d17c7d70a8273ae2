"""How many different numbers there are, in bounded memory, whatever their order."""

import numpy as np
from numpy.typing import NDArray

_KEPT = 65_536
_RANGE = 2.0**64


class DistinctCounter:
    """Counts different whole numbers: exactly up to 65,536 of them, beyond that within about 1 %.

    The k smallest of all hashes are kept. If the largest of them is the part u of their range, there are about
    (k - 1) / u different numbers, with a relative standard error of 1 / √k (Bar-Yossef et al., "Counting distinct
    elements in a data stream", 2002). What is kept depends on which numbers came, never on their order or pieces.
    """

    def __init__(self) -> None:
        self._hashes: NDArray[np.uint64] = np.empty(0, np.uint64)

    def add(self, numbers: NDArray[np.int64]) -> None:
        """Count numbers."""
        self._keep(_hash(numbers))

    def merge(self, other: "DistinctCounter") -> None:
        """Count what another counter has counted."""
        self._keep(other._hashes)

    def count(self) -> int:
        """How many different ones came."""
        if len(self._hashes) < _KEPT:
            return len(self._hashes)
        return round((_KEPT - 1) / (float(self._hashes[-1]) / _RANGE))

    def _keep(self, hashes: NDArray[np.uint64]) -> None:
        if len(self._hashes) == _KEPT:
            hashes = hashes[hashes < self._hashes[-1]]
        if len(hashes):
            self._hashes = np.union1d(self._hashes, hashes)[:_KEPT]


def _hash(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64, which maps different numbers to different ones (Steele et al., 2014)."""
    z = np.asarray(numbers, np.int64).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
