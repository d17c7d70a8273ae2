"""Rows of tensors for one graph."""

from collections.abc import Callable, Hashable
from typing import Any

from numpy.typing import NDArray

from pose_mdn_server.batching import Columns
from pose_mdn_server.models.graph import Graph


class GraphLane:
    """Runs a graph that has an axis of poses.

    Args:
        graph: The graph.
        lengths: Of the axes that are free beside that of poses: rows can be joined only if they agree in them.
        outputs: Which of its outputs are wanted.
        ran: Called after each run.
    """

    __slots__ = ("_graph", "_outputs", "_ran", "key", "model")

    key: Hashable
    model: str

    def __init__(
        self, graph: Graph, lengths: tuple[int, ...], outputs: tuple[str, ...], *, ran: Callable[[Graph], None]
    ) -> None:
        self._graph = graph
        self._outputs = outputs
        self._ran = ran
        # Two loaded graphs are two models, even of one name and version.
        self.key = (graph, lengths, outputs)
        self.model = graph.name

    def run(self, columns: Columns) -> dict[str, NDArray[Any]]:
        """The outputs that are wanted, by name."""
        results = self._graph.run(columns, self._outputs)
        self._ran(self._graph)
        return dict(zip(self._outputs, results, strict=True))
