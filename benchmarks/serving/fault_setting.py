"""What the scenarios of the fault suite share: how long, how many clients, which server."""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from accounts import Outcome
from fault_load import LoadSettings, RunningLoad, load
from healthy import is_healthy
from served import Served, pose_mdn, serve_options, wait_until

RECOVERY_S = 15.0


@dataclass(frozen=True, kw_only=True)
class FaultSettings:
    """How hard and how long.

    Attributes:
        seconds: Of load for each scenario, about; the fault comes in its middle.
        processes: Client processes.
        threads: Calls under way in each of them.
        minutes: Of the soak.
        seed: Of everything random.
    """

    seconds: float = 12.0
    processes: int = 2
    threads: int = 8
    minutes: float = 30.0
    seed: int = 0


Scenario = Callable[[FaultSettings], Outcome]


def missing_option(*wanted: str) -> str:
    """Why a scenario cannot run on this server; empty if it can."""
    missing = [option for option in wanted if option not in serve_options()]
    return f"this server has no {', '.join(missing)}" if missing else ""


@contextmanager
def under_load(
    settings: FaultSettings,
    *,
    workers: int = 1,
    options: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    stderr: Path | None = None,
    kinds: tuple[str, ...] = ("infer", "lift", "several"),
    retry: bool = False,
) -> Iterator[tuple[Served, RunningLoad]]:
    """A server with clients that call it all the time."""
    with (
        pose_mdn(workers=workers, options=options, environment=environment, prefix=prefix, stderr=stderr) as served,
        load(
            LoadSettings(
                address=served.address, kinds=kinds, threads=settings.threads, seed=settings.seed, retry=retry
            ),
            settings.processes,
        ) as running,
    ):
        yield served, running


def after(served: Served) -> tuple[str, ...]:
    """What is wrong with a server once the fault is over and it had some time; empty if it answers and is right."""
    reasons = [""]

    def recovers() -> bool:
        reasons[0] = is_healthy(served.address)
        return not reasons[0]

    return () if wait_until(recovers, RECOVERY_S, interval_s=0.2) else (f"not healthy afterwards: {reasons[0]}",)


def close_all(connections: Sequence[socket.socket]) -> None:
    """Close raw connections."""
    for connection in connections:
        connection.close()


def mib(size_bytes: float) -> float:
    """Bytes as MiB."""
    return size_bytes / 1024**2
