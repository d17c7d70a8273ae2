"""Lifting files as they arrive: a folder is looked at again and again, and what has become ready is a small batch."""

import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from pose_mdn.batch.arrivals import Arrivals
from pose_mdn.batch.engines.engine import Engine
from pose_mdn.batch.events import Event, Failed, Finished
from pose_mdn.batch.job import Job
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError

DEFAULT_INTERVAL_S = 1.0


@dataclass(kw_only=True)
class Watch:
    """A folder that is watched, from any thread until `stop`.

    Files are looked at by their listing rather than by the system's notifications, which network drives do not send.

    Attributes:
        plan: Gives the jobs of the folder as it is now.
        settings: How to read, lift and write.
        open_engine: Gives an engine; called for each small batch.
        out: The folder of the results.
        arrivals: Tells what is ready.
        interval_s: From one look to the next.
    """

    plan: Callable[[], Sequence[Job]]
    settings: LiftSettings
    open_engine: Callable[[], Engine]
    out: Path
    arrivals: Arrivals = field(default_factory=Arrivals)
    interval_s: float = DEFAULT_INTERVAL_S
    _stopped: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _engine: Engine | None = field(default=None, init=False, repr=False)

    def stop(self) -> None:
        """Look no more, and end what is under way soon; from any thread or signal handler."""
        self._stopped.set()
        if self._engine is not None:
            self._engine.stop()

    def events(self) -> Generator[Event, None, None]:
        """What happens, until `stop`; each small batch from `Planned` to `Finished`.

        What is done is remembered in OUT's manifest, so that a watch that is begun anew does nothing twice. A source
        that cannot be read is tried again for a while, silently, because it may not be whole yet.

        Raises:
            InputError: OUT was made with other settings, or another run is at work in it.
            PoseMDNError: There is no such model.
        """
        while not self._stopped.is_set():
            ready = self.arrivals.look(self.plan(), time.monotonic())
            if ready:
                yield from self._lift(ready)
            else:
                self._stopped.wait(self.interval_s)

    def _lift(self, jobs: list[Job]) -> Generator[Event, None, None]:
        self._engine = self.open_engine()
        patient: set[Job] = set()
        with closing(run_batch(jobs, self.settings, self._engine, out=self.out, resume=True)) as events:
            for event in events:
                match event:
                    case Failed() if self.arrivals.wait_longer(event.job, time.monotonic()):
                        patient.add(event.job)
                    case Finished():
                        yield replace(event, failed=tuple(each for each in event.failed if each.job not in patient))
                    case _:
                        yield event
        self._engine = None


def plan_watched(folders: Sequence[Path], plan: Callable[[], Sequence[Job]]) -> list[Job]:
    """The jobs of a plan, without folders that nothing has arrived in yet."""
    empty = {folder for folder in folders if not _has_files(folder)}
    return [job for job in plan() if Path(job.source) not in empty]


def _has_files(folder: Path) -> bool:
    from pose_mdn.formats.keypoints.registry import keypoint_suffixes  # noqa: PLC0415

    suffixes = keypoint_suffixes()
    with os.scandir(folder) as entries:
        return any(entry.is_file() and entry.name.lower().endswith(suffixes) for entry in entries)


def refuse_results_among_sources(folders: Sequence[Path], out: Path) -> None:
    """Results that are written where sources are looked for would be lifted again.

    Raises:
        InputError: OUT is one of the folders or lies in one.
    """
    place = out.resolve()
    for folder in folders:
        if place == folder.resolve() or folder.resolve() in place.parents:
            raise InputError(
                f"OUT: expected a folder outside of {folder}, where results would be taken for new files, got {out}; "
                "choose another",
                field="output",
            )
