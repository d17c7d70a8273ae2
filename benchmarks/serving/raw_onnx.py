"""ONNX Runtime alone, in a process of its own on the server's core: what every figure is a ratio to."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
from prepared_requests import OUTPUTS, graph_path, people
from served import pinned

BATCHES = (32, 64, 128, 256, 512)
LARGE = 1024


@dataclass(frozen=True, kw_only=True)
class Raw:
    """One run of one batch size.

    Attributes:
        batch: Poses per call.
        poses_per_s: Throughput.
        p50_ms: Median time of a call.
        p99_ms: And the 99th percentile.
        p999_ms: And the 99.9th.
    """

    batch: int
    poses_per_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float


class RawOnnx:
    """Runs ONNX Runtime on demand, so that its turns can lie between those of a server."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def measure(self, batch: int, seconds: float) -> Raw:
        """Run one batch size for so long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([batch, seconds]) + "\n")
        self._process.stdin.flush()
        return Raw(**json.loads(self._process.stdout.readline()))

    def best_batch(self, seconds: float) -> int:
        """The batch size that lifts most poses per second."""
        return max(BATCHES, key=lambda batch: self.measure(batch, seconds).poses_per_s)


@contextmanager
def raw_onnx(cores: Sequence[int] | None) -> Iterator[RawOnnx]:
    """ONNX Runtime on the same graph, with one thread, on these cores."""
    command = [*pinned(cores), sys.executable, __file__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield RawOnnx(process)
    finally:
        process.kill()
        process.wait()


def _times_s(session, feed: dict[str, np.ndarray], seconds: float) -> np.ndarray:
    times: list[float] = []
    end = time.perf_counter() + seconds
    began = time.perf_counter()
    while began < end:
        session.run(list(OUTPUTS), feed)
        now = time.perf_counter()
        times.append(now - began)
        began = now
    return np.array(times)


def _serve() -> None:
    from pose_mdn.inference.session import open_session  # noqa: PLC0415 - only the child needs it

    session = open_session(graph_path())
    feeds = {batch: people(batch, seed=0) for batch in (1, *BATCHES, LARGE)}
    for line in sys.stdin:
        batch, seconds = json.loads(line)
        _times_s(session, feeds[batch], 0.1)
        times = _times_s(session, feeds[batch], seconds)
        p50, p99, p999 = 1e3 * np.percentile(times, [50, 99, 99.9])
        raw = Raw(batch=batch, poses_per_s=batch * len(times) / times.sum(), p50_ms=p50, p99_ms=p99, p999_ms=p999)
        print(json.dumps(asdict(raw)), flush=True)


if __name__ == "__main__":
    _serve()
