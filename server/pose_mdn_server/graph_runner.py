"""Who runs graphs."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from pose_mdn_server.calls import Call, Pending
from pose_mdn_server.errors import CallerGoneError, OverdueError
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
        with self._lock:
            self._runs[graph.name, graph.version] += 1
        answer.resolve(results)
        return answer

    def runs(self, graph: Graph) -> int:
        """As `GraphRunner.runs`."""
        return self._runs[graph.name, graph.version]
