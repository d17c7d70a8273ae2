"""What a server did between two looks at its metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pose_mdn_server.telemetry.families import NANO, SECONDS
from pose_mdn_server.telemetry.labels import SEPARATOR
from pose_mdn_server.telemetry.quantiles import mean, quantile
from pose_mdn_server.telemetry.snapshots import Snapshot, empty

Series = tuple[str, str]
"""Method and model."""

NOT_WORKERS = frozenset({"supervisor", "gateway"})
"""Processes that answer no calls."""


@dataclass(frozen=True, kw_only=True)
class MethodActivity:
    """Answers and failures of one method with one model; answers within streams count singly.

    Latencies are of answers only: a refusal is quick, and says nothing of how long people wait.
    """

    method: str
    model: str
    answers_per_s: float
    failures_per_s: float
    poses_per_s: float
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True, kw_only=True)
class ModelActivity:
    """One model: where the time of its answers went, (median, 99 %) in seconds, and how full its batches were."""

    model: str
    queue_s: tuple[float | None, float | None]
    run_s: tuple[float | None, float | None]
    rest_s: tuple[float | None, float | None]
    batches_per_s: float
    poses_per_batch: float | None
    busy: float
    """Processor cores that its runs kept busy, if each has one thread."""


@dataclass(frozen=True, kw_only=True)
class WorkerActivity:
    """One process."""

    worker: str
    cpu: float
    """Processor cores in use."""
    memory_bytes: float
    open_fds: float | None
    queue_poses: float
    in_flight: float
    streams: float
    connections: float
    uptime_s: float | None


@dataclass(frozen=True, kw_only=True)
class Activity:
    """All of a server. Rates and quantiles are of the last `window_s`; counts are since the start."""

    window_s: float
    answers_per_s: float
    poses_per_s: float
    failures_per_s: float
    p50_s: float | None
    p99_s: float | None
    cpu_us_per_answer: float | None
    queue_poses: float
    calls_in_flight: float
    streams_open: float
    messages_per_s: dict[str, float]
    codes_per_s: dict[str, float]
    refused_per_s: dict[str, float]
    refused: dict[str, int]
    reloads: dict[str, int]
    worker_restarts: int
    log_lines_dropped: int
    uptime_s: float | None
    methods: list[MethodActivity] = field(default_factory=list)
    models: list[ModelActivity] = field(default_factory=list)
    workers: list[WorkerActivity] = field(default_factory=list)


def activity(before: Snapshot, now: Snapshot, *, window_s: float, time_s: float) -> Activity:
    """What happened from `before` to `now`, `window_s` later, which is at `time_s` seconds since 1970."""
    grown = increase(before, now)
    counters, gauges = grown["counters"], now["gauges"]
    methods = _methods(grown, window_s)
    latencies = list(_answer_times(grown).values())
    workers = _workers(grown, now, window_s, time_s)
    answers = sum(method.answers_per_s for method in methods)
    cpu = sum(worker.cpu for worker in workers if worker.worker not in NOT_WORKERS)
    codes = _summed(counters.get("calls", {}), -1)
    started = gauges.get("process_start_time_seconds", {}).values()
    return Activity(
        window_s=window_s,
        answers_per_s=answers,
        poses_per_s=sum(method.poses_per_s for method in methods),
        failures_per_s=sum(method.failures_per_s for method in methods),
        p50_s=quantile(SECONDS, _together(latencies), 0.5),
        p99_s=quantile(SECONDS, _together(latencies), 0.99),
        cpu_us_per_answer=1e6 * cpu / answers if answers else None,
        queue_poses=sum(gauges.get("queue_poses", {}).values()),
        calls_in_flight=sum(gauges.get("calls_in_flight", {}).values()),
        streams_open=sum(gauges.get("streams_open", {}).values()),
        messages_per_s=_rates(_summed(counters.get("stream_messages", {}), -1), window_s),
        codes_per_s=_rates({code: count for code, count in codes.items() if code != "OK"}, window_s),
        refused_per_s=_rates(counters.get("refused", {}), window_s),
        refused=dict(now["counters"].get("refused", {})),
        reloads=dict(now["counters"].get("reloads", {})),
        worker_restarts=sum(now["counters"].get("worker_restarts", {}).values()),
        log_lines_dropped=sum(now["counters"].get("log_lines_dropped", {}).values()),
        uptime_s=max(time_s - min(started), 0.0) if started else None,
        methods=methods,
        models=_models(grown, window_s),
        workers=workers,
    )


def increase(before: Snapshot, now: Snapshot) -> Snapshot:
    """What was counted in between. A series that has become smaller began anew, at zero."""
    grown = empty()
    for name, series in now["counters"].items():
        old = before["counters"].get(name, {})
        grown["counters"][name] = {
            key: count - old.get(key, 0) if count >= old.get(key, 0) else count for key, count in series.items()
        }
    for name, rows in now["histograms"].items():
        known = before["histograms"].get(name, {})
        grown["histograms"][name] = {key: _row_increase(known.get(key), row) for key, row in rows.items()}
    return grown


def _row_increase(old: list[int] | None, row: list[int]) -> list[int]:
    if old is None or any(b < a for a, b in zip(old, row, strict=True)):
        return row
    return [b - a for a, b in zip(old, row, strict=True)]


def _answer_times(grown: Snapshot) -> dict[Series, list[int]]:
    """Latencies by method and model: of calls that were answered, and of the answers within streams."""
    times = {_series(key): row for key, row in grown["histograms"].get("stream_answer_seconds", {}).items()}
    for key, row in grown["histograms"].get("call_seconds", {}).items():
        method, model, code = key.split(SEPARATOR)
        if code == "OK":
            times[method, model] = row
    return times


def _methods(grown: Snapshot, window_s: float) -> list[MethodActivity]:
    times, poses = _answer_times(grown), grown["counters"].get("poses", {})
    failures: dict[Series, int] = {}
    for key, count in grown["counters"].get("calls", {}).items():
        method, model, code = key.split(SEPARATOR)
        failures.setdefault((method, model), 0)
        failures[method, model] += count if code != "OK" else 0
    found = []
    for method, model in times.keys() | failures.keys():
        row, failed = times.get((method, model), [0]), failures.get((method, model), 0)
        found.append(
            MethodActivity(
                method=method,
                model=model,
                answers_per_s=(sum(row[1:]) + failed) / window_s,
                failures_per_s=failed / window_s,
                poses_per_s=poses.get(SEPARATOR.join((method, model)), 0) / window_s,
                p50_s=quantile(SECONDS, row, 0.5),
                p99_s=quantile(SECONDS, row, 0.99),
            )
        )
    return sorted(found, key=lambda row: (-row.answers_per_s, row.method, row.model))


def _models(grown: Snapshot, window_s: float) -> list[ModelActivity]:
    stages = grown["histograms"].get("stage_seconds", {})
    sizes, durations = grown["histograms"].get("batch_poses", {}), grown["histograms"].get("batch_seconds", {})
    names = {key.partition(SEPARATOR)[2] for key in stages} | set(sizes)

    def both(stage: str, model: str) -> tuple[float | None, float | None]:
        row = stages.get(f"{stage}{SEPARATOR}{model}", [0])
        return quantile(SECONDS, row, 0.5), quantile(SECONDS, row, 0.99)

    found = [
        ModelActivity(
            model=name,
            queue_s=both("queue", name),
            run_s=both("model", name),
            rest_s=both("rest", name),
            batches_per_s=sum(sizes.get(name, [0])[1:]) / window_s,
            poses_per_batch=mean(sizes.get(name, [0]), 1.0),
            busy=durations.get(name, [0])[0] * NANO / window_s,
        )
        for name in names
    ]
    return sorted(found, key=lambda row: (-row.busy, row.model))


def _workers(grown: Snapshot, now: Snapshot, window_s: float, time_s: float) -> list[WorkerActivity]:
    gauges, spent = now["gauges"], grown["counters"].get("process_cpu_seconds", {})
    in_flight = _summed(gauges.get("calls_in_flight", {}), -1)
    found = []
    for worker, memory in gauges.get("process_resident_memory_bytes", {}).items():
        of = {name: series.get(worker) for name, series in gauges.items()}
        started = of.get("process_start_time_seconds")
        found.append(
            WorkerActivity(
                worker=worker,
                cpu=spent.get(worker, 0) * NANO / window_s,
                memory_bytes=memory,
                open_fds=of.get("process_open_fds"),
                queue_poses=of.get("queue_poses") or 0.0,
                in_flight=in_flight.get(worker, 0.0),
                streams=of.get("streams_open") or 0.0,
                connections=of.get("connections") or 0.0,
                uptime_s=None if started is None else max(time_s - started, 0.0),
            )
        )
    return sorted(found, key=lambda row: (row.worker in NOT_WORKERS, len(row.worker), row.worker))


def _series(key: str) -> Series:
    method, model = key.split(SEPARATOR)
    return method, model


def _together(rows: Sequence[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] or [0]


def _summed(series: "dict[str, int] | dict[str, float]", label: int) -> dict[str, float]:
    sums: dict[str, float] = {}
    for key, value in series.items():
        name = key.split(SEPARATOR)[label]
        sums[name] = sums.get(name, 0.0) + value
    return sums


def _rates(counts: "dict[str, int] | dict[str, float]", window_s: float) -> dict[str, float]:
    return {name: count / window_s for name, count in counts.items()}
