"""What each graph has done, as the Open Inference Protocol tells it."""

import threading
import time
from dataclasses import dataclass

from pose_mdn_server.calls import Call
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip


@dataclass(slots=True)
class _Tally:
    """Of one graph; durations are sums, in seconds."""

    answered: int = 0
    refused: int = 0
    poses: int = 0
    last: float = 0.0
    answered_s: float = 0.0
    refused_s: float = 0.0
    queued_s: float = 0.0
    read_s: float = 0.0
    ran_s: float = 0.0
    written_s: float = 0.0


class InferenceCounts:
    """Counts answered and refused requests. May be called from any thread."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._lock = threading.Lock()

    def answered(
        self, graph: Graph, call: Call, *, poses: int, started: float, read: float, ran: float, written: float
    ) -> None:
        """A request was answered; times are those of `time.perf_counter()`.

        Args:
            graph: What it was for.
            call: Where the server noted how long it waited and ran.
            poses: How many it brought.
            started: When it came.
            read: When it had been read.
            ran: When the graph's outputs were there.
            written: When the answer was written.
        """
        with self._lock:
            tally = self._of(graph)
            tally.answered += 1
            tally.poses += poses
            tally.last = time.time()
            tally.answered_s += written - started
            tally.queued_s += call.queued_s
            tally.read_s += read - started
            tally.ran_s += call.ran_s
            tally.written_s += written - ran

    def refused(self, graph: Graph, *, started: float) -> None:
        """A request was refused, or failed."""
        with self._lock:
            tally = self._of(graph)
            tally.refused += 1
            tally.refused_s += time.perf_counter() - started

    def encode(self, graph: Graph, *, runs: int) -> oip.ModelStatistics:
        """What a graph has done; `runs` is how often it ran."""
        with self._lock:
            tally = self._of(graph)
            return oip.ModelStatistics(
                name=graph.name,
                version=graph.version,
                last_inference=round(tally.last * 1e3),
                inference_count=tally.poses,
                execution_count=runs,
                inference_stats=oip.InferStatistics(
                    success=_duration(tally.answered, tally.answered_s),
                    fail=_duration(tally.refused, tally.refused_s),
                    queue=_duration(tally.answered, tally.queued_s),
                    compute_input=_duration(tally.answered, tally.read_s),
                    compute_infer=_duration(tally.answered, tally.ran_s),
                    compute_output=_duration(tally.answered, tally.written_s),
                ),
            )

    def _of(self, graph: Graph) -> _Tally:
        tally = self._tallies.get((graph.name, graph.version))
        if tally is None:
            tally = self._tallies[graph.name, graph.version] = _Tally()
        return tally


def _duration(count: int, total_s: float) -> oip.StatisticDuration:
    return oip.StatisticDuration(count=count, ns=round(total_s * 1e9))
