"""Counts of one thread.

Only its own thread adds to a shard, so that nothing is locked while calls are answered. Another thread may read it at
any moment: dictionaries and lists are copied in one step of the interpreter, and a sum that is one observation ahead
of its buckets does no harm.
"""

import threading
from bisect import bisect_left

from pose_mdn_server.telemetry.families import FAMILIES, POSES, SECONDS
from pose_mdn_server.telemetry.labels import key_of
from pose_mdn_server.telemetry.snapshots import Counts, Histograms, Snapshot

OK = "OK"


class Histogram:
    """How often which values came."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """One more value; a bucket holds those up to its edge."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def row(self, unit: float) -> list[int]:
        """Sum and buckets, as a snapshot has them."""
        return [round(self.total / unit), *self.counts]


class Stages:
    """Where the time of answers went, for one model."""

    __slots__ = ("queue", "rest", "run")

    def __init__(self) -> None:
        self.queue, self.run, self.rest = Histogram(SECONDS), Histogram(SECONDS), Histogram(SECONDS)


class AnswerSeries:
    """Calls that ended alike, or answers within streams."""

    __slots__ = ("latency", "poses", "stages")

    def __init__(self, stages: Stages) -> None:
        self.latency = Histogram(SECONDS)
        self.stages = stages
        self.poses = 0

    def add(self, seconds: float, poses: int, queued_s: float, ran_s: float) -> None:
        """One more answer; its stages count if a model ran for it."""
        latency = self.latency
        latency.counts[bisect_left(SECONDS, seconds)] += 1
        latency.total += seconds
        self.poses += poses
        if ran_s > 0.0:
            stages = self.stages
            stages.queue.add(queued_s)
            stages.run.add(ran_s)
            rest_s = seconds - queued_s - ran_s
            stages.rest.add(max(rest_s, 0.0))


class Shard:
    """Counts of one thread; `calls`, `streams` and `answers` are keyed by what their callers hand in."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.started: dict[str, int] = {}
        self.calls: dict[tuple[str, str, str], AnswerSeries] = {}
        self.streams: dict[tuple[str, str, str], int] = {}
        self.answers: dict[tuple[str, str], AnswerSeries] = {}
        self.messages: dict[tuple[str, str], int] = {}
        self.stages: dict[str, Stages] = {}
        self.batches: dict[str, tuple[Histogram, Histogram]] = {}
        self.counts: dict[tuple[str, str], int] = {}

    def stages_of(self, model: str) -> Stages:
        """Where the time of one model's answers went."""
        return self.stages.setdefault(model, Stages())

    def batches_of(self, model: str) -> tuple[Histogram, Histogram]:
        """Poses and durations of one model's runs."""
        return self.batches.setdefault(model, (Histogram(POSES), Histogram(SECONDS)))

    def totals(self) -> Snapshot:
        """Everything counted so far."""
        return {"counters": self._counters(), "gauges": {}, "histograms": self._histograms()}

    def _counters(self) -> Counts:
        counters: Counts = {"calls_started": {_method(path): count for path, count in self.started.copy().items()}}
        calls, poses = counters.setdefault("calls", {}), counters.setdefault("poses", {})
        for (path, model, code), series in self.calls.copy().items():
            calls[key_of(_method(path), model, code)] = sum(series.latency.counts.copy())
            if code == OK:
                _add(poses, key_of(_method(path), model), series.poses)
        for (path, model, code), count in self.streams.copy().items():
            calls[key_of(_method(path), model, code)] = count
        for (path, model), series in self.answers.copy().items():
            _add(poses, key_of(_method(path), model), series.poses)
        counters["stream_messages"] = {
            key_of(_method(path), direction): count for (path, direction), count in self.messages.copy().items()
        }
        for (family, label), count in self.counts.copy().items():
            counters.setdefault(family, {})[label] = count
        return counters

    def _histograms(self) -> Histograms:
        nano = FAMILIES["call_seconds"].unit
        batches = self.batches.copy()
        return {
            "call_seconds": {
                key_of(_method(path), model, code): series.latency.row(nano)
                for (path, model, code), series in self.calls.copy().items()
            },
            "stream_answer_seconds": {
                key_of(_method(path), model): series.latency.row(nano)
                for (path, model), series in self.answers.copy().items()
            },
            "stage_seconds": {
                key_of(stage, model): histogram.row(nano)
                for model, stages in self.stages.copy().items()
                for stage, histogram in (("queue", stages.queue), ("model", stages.run), ("rest", stages.rest))
                if any(histogram.counts)
            },
            "batch_poses": {model: poses.row(1.0) for model, (poses, _) in batches.items()},
            "batch_seconds": {model: seconds.row(nano) for model, (_, seconds) in batches.items()},
        }


def _method(path: str) -> str:
    return path.removeprefix("/")


def _add(counts: dict[str, int], key: str, count: int) -> None:
    counts[key] = counts.get(key, 0) + count
