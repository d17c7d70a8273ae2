"""Turns of a measurement: loads with ONNX Runtime's figures of the same round beside them, and what tables say."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache

from h2load import Load, run
from prepared_requests import Prepared, stream, unary
from raw_onnx import LARGE, Raw, RawOnnx
from served import Served

STREAM_MESSAGES = 200
STREAM_POSES = 8
CASES: dict[str, Callable[[], Prepared]] = {
    "infer-1": lambda: unary("infer", 1, seed=1),
    "lift-1": lambda: unary("lift", 1, seed=2),
    "stream-8": lambda: stream(STREAM_MESSAGES, STREAM_POSES, seed=3),
    "infer-1024": lambda: unary("infer", LARGE, seed=4),
    "lift-1024": lambda: unary("lift", LARGE, seed=5),
}
MAX_IN_FLIGHT = {"infer-1024": 8, "lift-1024": 8, "stream-8": 32}
"""Of calls so large that more of them say nothing new; streams are many messages each."""


@cache
def case(name: str) -> Prepared:
    """A case by name; made once."""
    return CASES[name]()


def levels(name: str, in_flight: Sequence[int]) -> list[int]:
    """How many calls in flight make sense for a case."""
    return [level for level in in_flight if level <= MAX_IN_FLIGHT.get(name, level)]


@dataclass(frozen=True, kw_only=True)
class RawRound:
    """ONNX Runtime alone in one round.

    Attributes:
        single: One pose per call.
        best: The batch size that lifts most poses per second.
        large: As many poses as the large calls have.
    """

    single: Raw
    best: Raw
    large: Raw

    def poses_per_s(self, poses_per_call: int) -> float:
        """What a call of so many poses is compared with."""
        return self.large.poses_per_s if poses_per_call == LARGE else self.best.poses_per_s


def measure_raw(raw: RawOnnx, best_batch: int, seconds: float) -> RawRound:
    """A round of ONNX Runtime alone."""
    return RawRound(
        single=raw.measure(1, seconds), best=raw.measure(best_batch, seconds), large=raw.measure(LARGE, seconds)
    )


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One load of one server, and ONNX Runtime's figures of the same round."""

    server: str
    case: str
    in_flight: int
    round: int
    setting: str
    poses: int
    messages: int
    load: Load
    raw: RawRound

    @property
    def poses_per_s(self) -> float:
        """Throughput."""
        return self.load.rps * self.poses

    @property
    def of_raw(self) -> float:
        """Throughput as a share of ONNX Runtime's."""
        return self.poses_per_s / self.raw.poses_per_s(self.poses)

    @property
    def p99_above_raw_ms(self) -> float:
        """How much later than a run of one pose the answer comes, both at the 99th percentile."""
        return self.load.p99_ms - self.raw.single.p99_ms

    def as_json(self) -> dict[str, object]:
        """All figures."""
        return asdict(self) | {"poses_per_s": self.poses_per_s, "of_raw": self.of_raw}


def take_turn(
    served: Served,
    name: str,
    in_flight: int,
    *,
    number: int,
    raw: RawRound,
    seconds: float,
    cores: Sequence[int],
    setting: str = "",
) -> Turn:
    """Load a server once."""
    prepared = case(name)
    load = run(served, prepared, in_flight=in_flight, seconds=seconds, cores=cores)
    return Turn(
        server=served.name,
        case=name,
        in_flight=in_flight,
        round=number,
        setting=setting,
        poses=prepared.poses,
        messages=prepared.answers,
        load=load,
        raw=raw,
    )


COLUMNS = (
    "call", "server", "in flight", "messages/s, median", "best", "poses/s, median", "p50 ms", "p99 ms", "p99.9 ms",
    "CPU µs/message", "of raw ONNX Runtime", "p99 above raw, ms", "not OK",
)  # fmt: skip


def table_row(turns: Iterable[Turn]) -> list[object]:
    """What the rounds of one load have in common: medians, and the best throughput."""
    rounds = list(turns)
    first = rounds[0]

    def median(value: Callable[[Turn], float]) -> float:
        return statistics.median(map(value, rounds))

    return [
        case(first.case).name,
        first.server,
        first.in_flight,
        median(lambda turn: turn.load.rps * turn.messages),
        max(turn.load.rps * turn.messages for turn in rounds),
        median(lambda turn: turn.poses_per_s),
        median(lambda turn: turn.load.p50_ms),
        median(lambda turn: turn.load.p99_ms),
        median(lambda turn: turn.load.p999_ms),
        median(lambda turn: turn.load.cpu_us / turn.messages),
        median(lambda turn: turn.of_raw),
        median(lambda turn: turn.p99_above_raw_ms) if first.in_flight == 1 and first.poses == 1 else "",
        sum(turn.load.errors for turn in rounds),
    ]


def grouped(turns: Iterable[Turn]) -> list[list[Turn]]:
    """Turns of the same load together, in the order in which they first came."""
    groups: dict[tuple[str, str, int], list[Turn]] = {}
    for turn in turns:
        groups.setdefault((turn.case, turn.server, turn.in_flight), []).append(turn)
    return list(groups.values())


RAW_COLUMNS = ("ONNX Runtime alone", "poses/s, median", "best", "p50 ms", "p99 ms", "p99.9 ms")


def raw_rows(rounds: Sequence[RawRound]) -> list[list[object]]:
    """A table of ONNX Runtime alone."""
    rows = []
    for pick in (lambda r: r.single, lambda r: r.best, lambda r: r.large):
        runs = [pick(one) for one in rounds]
        columns = [statistics.median(getattr(run, name) for run in runs) for name in ("p50_ms", "p99_ms", "p999_ms")]
        rates = [run.poses_per_s for run in runs]
        rows.append([f"{runs[0].batch} per run", statistics.median(rates), max(rates), *columns])
    return rows
