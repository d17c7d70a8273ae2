"""Values of a label, of which there are never more than so many."""

from collections.abc import Iterable

OTHER = "other"
"""What a value counts as that has no series of its own."""

SEPARATOR = "\t"
"""Between the values of one series' labels, in the keys of a snapshot."""


class Labels:
    """The values that one label may have: those known beforehand, or the first few that come."""

    def __init__(self, known: Iterable[str] = (), *, limit: int = 0) -> None:
        """`limit` values are learnt beside the known ones, and all others count as `OTHER`."""
        self._known = set(known)
        self._limit = len(self._known) + limit

    def of(self, value: str) -> str:
        """The value itself, or `OTHER`."""
        if value in self._known:
            return value
        if len(self._known) >= self._limit or SEPARATOR in value or len(value) > 200:
            return OTHER
        self._known.add(value)
        return value


def key_of(*values: str) -> str:
    """Key of a series in a snapshot."""
    return SEPARATOR.join(values)
