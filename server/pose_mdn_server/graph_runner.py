"""Who runs graphs."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from pose_mdn_server.batching import Batcher, Columns
from pose_mdn_server.calls import Call, Pending
from pose_mdn_server.errors import CallerGoneError, OverdueError
from pose_mdn_server.lanes.graph import GraphLane
from pose_mdn_server.models.graph import Array, Graph


class GraphRunner(Protocol):
    """Takes in work for graphs."""

    def submit(
        self, graph: Graph, inputs: Mapping[str, Array], outputs: Sequence[str], call: Call
    ) -> Pending[list[Array]]:
        """Have a graph run: the outputs asked for, in that order, come later.

        Inputs fit the graph. `call` says how long anybody waits and how urgent it is, and learns how long it took.

        Raises:
            OverloadedError: Too much is waiting already.
        """

    def runs(self, graph: Graph) -> int:
        """How often a graph ran so far; a batch of several calls counts once."""


class DirectRunner:
    """Runs graphs at once, in the thread that asks."""

    def __init__(self) -> None:
        self._runs: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def submit(
        self, graph: Graph, inputs: Mapping[str, Array], outputs: Sequence[str], call: Call
    ) -> Pending[list[Array]]:
        """As `GraphRunner.submit`; done when it returns."""
        answer: Pending[list[Array]] = Pending()
        if call.is_over:
            gone = CallerGoneError("the caller has gone")
            answer.fail(gone if call.cancelled else OverdueError("the deadline passed before the model ran"))
            return answer
        started = time.perf_counter()
        try:
            results = graph.run(inputs, outputs)
        except Exception as error:  # whoever waits for the answer gets it, whatever it is
            answer.fail(error)
            return answer
        call.ran_s = time.perf_counter() - started
        self.count(graph)
        answer.resolve(results)
        return answer

    def runs(self, graph: Graph) -> int:
        """As `GraphRunner.runs`."""
        return self._runs[graph.name, graph.version]

    def count(self, graph: Graph) -> None:
        """A graph ran once more."""
        with self._lock:
            self._runs[graph.name, graph.version] += 1


class BatchRunner:
    """Lets calls wait for their batch, with those of others for the same graph."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        self._direct = DirectRunner()

    def submit(
        self, graph: Graph, inputs: Mapping[str, Array], outputs: Sequence[str], call: Call
    ) -> Pending[list[Array]]:
        """As `GraphRunner.submit`. A graph without an axis of poses runs at once, since it cannot be cut or joined."""
        if graph.batch_axis is None:
            return self._direct.submit(graph, inputs, outputs, call)
        lane = GraphLane(graph, graph.lane(inputs), tuple(outputs), ran=self._direct.count)
        answer: Pending[list[Array]] = Pending()

        def finish(done: Pending[Columns]) -> None:
            if done.error is not None:
                answer.fail(done.error)
            else:
                columns = done.value()
                answer.resolve([columns[name] for name in outputs])

        self._batcher.submit(lane, inputs, call).then(finish)
        return answer

    def runs(self, graph: Graph) -> int:
        """As `GraphRunner.runs`."""
        return self._direct.runs(graph)
