"""What a process counts while it serves."""

import re
import threading
from collections.abc import Iterable

from pose_mdn_server.telemetry import process_facts
from pose_mdn_server.telemetry.families import SETTABLE_GAUGES
from pose_mdn_server.telemetry.labels import OTHER, SEPARATOR, Labels, key_of
from pose_mdn_server.telemetry.log_buffer import dropped_lines
from pose_mdn_server.telemetry.shard import AnswerSeries, Histogram, Shard
from pose_mdn_server.telemetry.snapshots import Snapshot, empty, merge, retired

__all__ = ["Metrics", "Snapshot", "merge", "retired"]

_MAX_METHODS = 64
_MAX_MODELS = 64
_MAX_CODES = 17  # as many as gRPC has
_MAX_REASONS = 32
_PATH = re.compile(r"/[^/\s]+/[^/\s]+")
_DIRECTIONS = ("received", "sent")


class Metrics:
    """Counters of one process. Any thread may call any method; none of them waits.

    Each thread counts for itself, and `snapshot` adds up. A call costs less than three microseconds.
    """

    def __init__(
        self, *, worker: str = "0", paths: Iterable[str] | None = None, stream_paths: Iterable[str] = ()
    ) -> None:
        """Count for `worker`, a short name.

        `paths` are all methods offered, "/package.Service/Method"; what comes for others counts as "other". Without
        them the first 64 that come have series of their own. `stream_paths` are those whose calls last as long as
        the caller likes: their duration says nothing, so their answers are timed (`stream_answered`).
        """
        streams = frozenset(stream_paths)
        self._worker = worker.replace(SEPARATOR, " ")
        self._methods = Labels(limit=_MAX_METHODS) if paths is None else Labels({*paths, *streams})
        self._stream_paths = streams
        self._models = Labels(("",), limit=_MAX_MODELS)
        self._codes = Labels(limit=_MAX_CODES)
        self._reasons = {"refused": Labels(limit=_MAX_REASONS), "reloads": Labels(limit=_MAX_REASONS)}
        self._gauges: dict[str, float] = {}
        self._lock = threading.Lock()
        self._threads = threading.local()
        self._shards: list[Shard] = []
        self._ended = empty()

    def know_methods(self, paths: Iterable[str], *, stream_paths: Iterable[str]) -> None:
        """Say which methods are offered, as on construction, where they are known only later; before the first call."""
        self._stream_paths = frozenset(stream_paths)
        self._methods = Labels({*paths, *self._stream_paths})

    def call_started(self, path: str) -> None:
        """A call or a stream came; `call_finished` follows for each."""
        try:
            self._threads.shard.started[path] += 1
        except (AttributeError, KeyError):
            started = self._shard().started
            method = self._method(path)
            started[method] = started.get(method, 0) + 1

    def call_finished(  # noqa: PLR0917 - keywords cost time on each call
        self, path: str, model: str, code: str, seconds: float, poses: int, queued_s: float, ran_s: float
    ) -> None:
        """A call or a stream ended with the status `code`, "OK", `seconds` after it came.

        It brought `poses`, waited `queued_s` for a model, which ran `ran_s`. Of a stream it only counts that it ended.
        """
        try:
            series: AnswerSeries = self._threads.shard.calls[path, model, code]
        except (AttributeError, KeyError):
            if path in self._stream_paths:
                self._stream_ended(path, model, code)
                return
            series = self._call_series(path, model, code)
        series.add(seconds, poses, queued_s, ran_s)

    def stream_answered(  # noqa: PLR0917 - as above
        self, path: str, model: str, seconds: float, poses: int, queued_s: float, ran_s: float
    ) -> None:
        """A message of a stream was answered, `seconds` after it came; the rest as in `call_finished`."""
        try:
            series: AnswerSeries = self._threads.shard.answers[path, model]
        except (AttributeError, KeyError):
            shard, key = self._shard(), (self._method(path), self._models.of(model))
            series = shard.answers.setdefault(key, AnswerSeries(shard.stages_of(key[1])))
        series.add(seconds, poses, queued_s, ran_s)

    def stream_message(self, path: str, direction: str) -> None:
        """A message of a stream was "received" or "sent"."""
        try:
            self._threads.shard.messages[path, direction] += 1
        except (AttributeError, KeyError):
            if direction not in _DIRECTIONS:
                raise ValueError(f"direction: expected one of {', '.join(_DIRECTIONS)}, got {direction!r}") from None
            messages, key = self._shard().messages, (self._method(path), direction)
            messages[key] = messages.get(key, 0) + 1

    def batch_ran(self, model: str, poses: int, seconds: float) -> None:
        """A model ran once, on so many poses, for so long."""
        try:
            sizes: Histogram
            durations: Histogram
            sizes, durations = self._threads.shard.batches[model]
        except (AttributeError, KeyError):
            sizes, durations = self._shard().batches_of(self._models.of(model))
        sizes.add(poses)
        durations.add(seconds)

    def set_gauge(self, name: str, value: float) -> None:
        """The present value of "queue_poses", "streams_open", "connections" or "workers"."""
        if name not in SETTABLE_GAUGES:
            raise ValueError(f"name: expected one of {', '.join(SETTABLE_GAUGES)}, got {name!r}")
        self._gauges[name] = value

    def refused(self, reason: str) -> None:
        """A call was refused; `reason` as in `ErrorInfo`, "QUOTA_EXCEEDED"."""
        self._count("refused", reason)

    def reloaded(self, result: str) -> None:
        """The model repository was read again: "swapped", "unchanged", "refused"."""
        self._count("reloads", result)

    def worker_restarted(self) -> None:
        """A worker ended unasked and was started again."""
        counts = self._shard().counts
        counts["worker_restarts", ""] = counts.get(("worker_restarts", ""), 0) + 1

    def snapshot(self) -> Snapshot:
        """Everything counted so far and the present state, for a pipe or for `exposition`."""
        with self._lock:
            for shard in [shard for shard in self._shards if not shard.thread.is_alive()]:
                self._ended = merge([self._ended, shard.totals()])
                self._shards.remove(shard)
            total = merge([self._ended, *(shard.totals() for shard in self._shards)])
        self._add_in_flight(total)
        self._add_process(total)
        return total

    def _method(self, path: str) -> str:
        return self._methods.of(path) if _PATH.fullmatch(path) else OTHER

    def _shard(self) -> Shard:
        try:
            shard: Shard = self._threads.shard
        except AttributeError:
            shard = self._threads.shard = Shard()
            with self._lock:
                self._shards.append(shard)
        return shard

    def _call_series(self, path: str, model: str, code: str) -> AnswerSeries:
        shard = self._shard()
        key = (self._method(path), self._models.of(model), self._codes.of(code))
        return shard.calls.setdefault(key, AnswerSeries(shard.stages_of(key[1])))

    def _stream_ended(self, path: str, model: str, code: str) -> None:
        streams, key = self._shard().streams, (path, self._models.of(model), self._codes.of(code))
        streams[key] = streams.get(key, 0) + 1

    def _count(self, family: str, label: str) -> None:
        counts, key = self._shard().counts, (family, self._reasons[family].of(label))
        counts[key] = counts.get(key, 0) + 1

    def _add_in_flight(self, total: Snapshot) -> None:
        finished: dict[str, int] = {}
        for key, count in total["counters"].get("calls", {}).items():
            method = key.partition(SEPARATOR)[0]
            finished[method] = finished.get(method, 0) + count
        total["gauges"]["calls_in_flight"] = {
            # A thread may have finished what another had started between the two looks at them.
            key_of(method, self._worker): float(max(started - finished.get(method, 0), 0))
            for method, started in total["counters"].get("calls_started", {}).items()
        }

    def _add_process(self, total: Snapshot) -> None:
        worker, gauges = self._worker, total["gauges"]
        total["counters"]["process_cpu_seconds"] = {worker: process_facts.cpu_ns()}
        total["counters"]["log_lines_dropped"] = {worker: dropped_lines()}
        gauges["process_resident_memory_bytes"] = {worker: float(process_facts.resident_bytes())}
        gauges["process_start_time_seconds"] = {worker: process_facts.start_time_s()}
        descriptors = process_facts.open_descriptors()
        if descriptors is not None:
            gauges["process_open_fds"] = {worker: float(descriptors)}
        for name, value in self._gauges.copy().items():
            gauges[name] = {worker: float(value)}
