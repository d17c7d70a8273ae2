"""What each graph has done, as the Open Inference Protocol tells it."""

import threading
import time
from collections import defaultdict

from pose_mdn_server.calls import Call
from pose_mdn_server.models.graph import Graph
from pose_mdn_server.rpc import open_inference_pb2 as oip


class _Counted:
    """How often, and how long altogether, in seconds."""

    __slots__ = ("count", "total_s")

    def __init__(self) -> None:
        self.count = 0
        self.total_s = 0.0

    def add(self, duration_s: float) -> None:
        self.count += 1
        self.total_s += duration_s

    def encode(self) -> oip.StatisticDuration:
        return oip.StatisticDuration(count=self.count, ns=round(self.total_s * 1e9))


class _Tally:
    """Of one graph."""

    def __init__(self) -> None:
        self.poses = 0
        self.last_s = 0.0
        self.success, self.fail, self.queue = _Counted(), _Counted(), _Counted()
        self.reading, self.running, self.writing = _Counted(), _Counted(), _Counted()


class InferenceCounts:
    """Counts answered and refused requests. May be called from any thread."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
        self._lock = threading.Lock()

    def answered(self, graph: Graph, call: Call, *, poses: int, started: float, read_s: float, write_s: float) -> None:
        """A request was answered.

        Args:
            graph: What it was for.
            call: Where the server noted how long it waited and ran.
            poses: How many it brought.
            started: `time.perf_counter()` of its arrival.
            read_s: How long it took to read it.
            write_s: How long it took to write the answer.
        """
        with self._lock:
            tally = self._tallies[graph.name, graph.version]
            tally.poses += poses
            tally.last_s = time.time()
            tally.success.add(time.perf_counter() - started)
            tally.queue.add(call.queued_s)
            tally.reading.add(read_s)
            tally.running.add(call.ran_s)
            tally.writing.add(write_s)

    def refused(self, graph: Graph, *, started: float) -> None:
        """A request was refused, or failed."""
        with self._lock:
            self._tallies[graph.name, graph.version].fail.add(time.perf_counter() - started)

    def encode(self, graph: Graph, *, runs: int) -> oip.ModelStatistics:
        """What a graph has done; `runs` is how often it ran."""
        with self._lock:
            tally = self._tallies[graph.name, graph.version]
            return oip.ModelStatistics(
                name=graph.name,
                version=graph.version,
                last_inference=round(tally.last_s * 1e3),
                inference_count=tally.poses,
                execution_count=runs,
                inference_stats=oip.InferStatistics(
                    success=tally.success.encode(),
                    fail=tally.fail.encode(),
                    queue=tally.queue.encode(),
                    compute_input=tally.reading.encode(),
                    compute_infer=tally.running.encode(),
                    compute_output=tally.writing.encode(),
                ),
            )
