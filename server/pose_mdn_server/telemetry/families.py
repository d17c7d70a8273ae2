"""Every metric that a server publishes: its name, its labels, what it means.

The number of series is bounded: methods, models, codes, reasons and results come from short lists (see `labels`),
workers from the number of processes. Clients are never labels.
"""

from dataclasses import dataclass
from typing import Literal

PREFIX = "pose_mdn_"

SECONDS = tuple(
    round(step * 10.0**exponent, 6)
    for exponent in range(-5, 2)
    for step in (1, 1.5, 2, 3, 5, 7)
    if 5e-5 <= step * 10.0**exponent <= 10
)
"""Upper edges of latency buckets, 50 µs to 10 s, six in a decade; neighbours differ by a factor of 1.4 to 1.7."""

POSES = tuple(float(1 << power) for power in range(13))
"""Upper edges of batch sizes, 1 to 4096."""

NANO = 1e-9


@dataclass(frozen=True, kw_only=True)
class Family:
    """One metric.

    Attributes:
        kind: Of metric, in Prometheus' words.
        labels: Names of its labels, in the order of the keys of a snapshot.
        help: What it counts, for the metrics page.
        bounds: Upper edges of a histogram's buckets.
        always: Values of the only label whose series begin at zero, so that the first event is an increase.
        unit: What a 1 in a snapshot stands for: sums of seconds are kept as whole nanoseconds, so that adding up
            snapshots gives the same in any order.
    """

    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()
    always: tuple[str, ...] = ()
    unit: float = 1.0


FAMILIES: dict[str, Family] = {
    "calls_started": Family(
        kind="counter", labels=("method",), help="Calls that came in; those neither finished nor in flight died."
    ),
    "calls": Family(
        kind="counter", labels=("method", "model", "code"), help="Calls and streams that ended, by their status."
    ),
    "poses": Family(kind="counter", labels=("method", "model"), help="Poses in calls that were answered with OK."),
    "call_seconds": Family(
        kind="histogram",
        labels=("method", "model", "code"),
        help="Arrival of a call to its answer; streams are not among them.",
        bounds=SECONDS,
        unit=NANO,
    ),
    "stream_answer_seconds": Family(
        kind="histogram",
        labels=("method", "model"),
        help="Arrival of a message of a stream to its answer.",
        bounds=SECONDS,
        unit=NANO,
    ),
    "stage_seconds": Family(
        kind="histogram",
        labels=("stage", "model"),
        help="Parts of answering, where a model ran: waiting in the queue, running, and all the rest.",
        bounds=SECONDS,
        unit=NANO,
    ),
    "batch_poses": Family(kind="histogram", labels=("model",), help="Poses in one run of a model.", bounds=POSES),
    "batch_seconds": Family(
        kind="histogram", labels=("model",), help="Duration of one run of a model.", bounds=SECONDS, unit=NANO
    ),
    "stream_messages": Family(
        kind="counter", labels=("method", "direction"), help="Messages of streams, received and sent."
    ),
    "refused": Family(
        kind="counter",
        labels=("reason",),
        help="Calls that were refused without an answer, by reason.",
        always=("OVERLOADED", "QUOTA_EXCEEDED", "UNAUTHENTICATED", "PERMISSION_DENIED", "OVERDUE", "SERVER_STOPPING"),
    ),
    "reloads": Family(
        kind="counter",
        labels=("result",),
        help="Reloads of the model repository, by result.",
        always=("swapped", "unchanged", "refused"),
    ),
    "worker_restarts": Family(
        kind="counter", labels=(), help="Workers that ended unasked and were started again.", always=("",)
    ),
    "log_lines_dropped": Family(
        kind="counter", labels=("worker",), help="Log lines that were given up because nobody took them."
    ),
    "process_cpu_seconds": Family(
        kind="counter", labels=("worker",), help="Processor time of a process, user and system.", unit=NANO
    ),
    "calls_in_flight": Family(kind="gauge", labels=("method", "worker"), help="Calls and streams under way."),
    "queue_poses": Family(kind="gauge", labels=("worker",), help="Poses that wait for a model."),
    "streams_open": Family(kind="gauge", labels=("worker",), help="Streams that are open."),
    "connections": Family(kind="gauge", labels=("worker",), help="Connections that are open."),
    "workers": Family(kind="gauge", labels=("worker",), help="Workers that serve, as the supervisor counts them."),
    "process_resident_memory_bytes": Family(kind="gauge", labels=("worker",), help="Memory that a process holds."),
    "process_open_fds": Family(kind="gauge", labels=("worker",), help="Files and sockets that a process has open."),
    "process_start_time_seconds": Family(
        kind="gauge", labels=("worker",), help="When a process started, in seconds since 1970."
    ),
}
"""By name, without the prefix `pose_mdn_` and the suffix `_total`."""

SETTABLE_GAUGES = ("queue_poses", "streams_open", "connections", "workers")
"""Gauges that only the code around knows."""
