"""What an engine is, and how one is found by its name."""

import difflib
import importlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol, cast

from pose_mdn.batch.events import JobEvent
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError

ENGINE_GROUP = "pose_mdn.engines"
"""Entry points of engines that other packages bring: callables that take `EngineOptions` and give an `Engine`."""

DEFAULT_PATIENCE_S = 300.0

_BUILT_IN = {
    "local": "pose_mdn.batch.engines.local:LocalEngine",
    "ray": "pose_mdn.batch.engines.ray:RayEngine",
}


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """How a batch is run. Results do not depend on it.

    Attributes:
        workers: How many jobs are worked on at a time; 0 for one per core.
        threads: How many slices of one job are lifted at a time; 0 shares the workers out among the jobs.
        patience_s: A job in which nothing moves for so long has failed; 0 waits for ever.
        apart: Whether even a single job is done in a process of its own, so that one which crashes its reader ends
            nothing else.
        cluster: Address of the cluster, for engines that have one; a new one on this machine if `None`.
    """

    workers: int = 0
    threads: int = 0
    patience_s: float = DEFAULT_PATIENCE_S
    apart: bool = False
    cluster: str | None = None


class Engine(Protocol):
    """Runs jobs, each by `JobWorker.run`, and says what happens.

    An engine writes nothing but the jobs' outputs; the manifest is kept by who reads the events, in one process.
    """

    @property
    def name(self) -> str:
        """What users call it."""

    def run(self, jobs: Sequence[Job], settings: LiftSettings) -> Generator[JobEvent, None, None]:
        """Do all jobs, in any order.

        Every job ends in exactly one `Done`, which is yielded after its files are in place, or `Failed`; a job that
        fails, or ends the process that works on it, spoils no other. Closing the iterator ends all work at once.

        Raises:
            PoseMDNError: No job can be done: the model cannot be loaded, the cluster cannot be reached.
        """

    def stop(self) -> None:
        """Begin nothing new and let `run` end soon, without `Done` or `Failed` for what is left.

        May be called at any time, from a signal handler or another thread.
        """


def open_engine(name: str = "local", options: EngineOptions | None = None) -> Engine:
    """The engine of a name.

    Raises:
        InputError: There is none; the nearest name is suggested.
        MissingExtraError: It needs a package that is not installed.
    """
    others = {entry.name: entry for entry in entry_points(group=ENGINE_GROUP)}
    names = list(dict.fromkeys([*_BUILT_IN, *others]))
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(f"engine: expected one of {', '.join(names)}, got {name!r}{hint}", field="engine")
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        factory = getattr(importlib.import_module(module), attribute)
    else:
        factory = others[name].load()
    return cast("Callable[[EngineOptions], Engine]", factory)(options or EngineOptions())
