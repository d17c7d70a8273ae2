"""What may be merged with what."""

from collections.abc import Hashable, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""Arrays by name whose first axis is the row; all have equally many rows."""


class Lane(Protocol):
    """A function of rows that treats each row on its own, so that rows of many calls can go through it together.

    Lanes with equal keys are the same function. A lane holds on to its model, so that a call keeps the model that it
    began with.
    """

    @property
    def key(self) -> Hashable:
        """Equal for lanes whose rows may be merged."""

    @property
    def model(self) -> str:
        """Name of the model, for metrics."""

    def run(self, columns: Columns) -> Columns:
        """The answers' rows, in the order of the requests' rows."""
