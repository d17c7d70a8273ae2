"""Jobs done by many machines, through Ray Data.

The unit of work is the job, as on one machine, and a worker does it by the same `JobWorker`: so outputs are the same
files with the same bytes, rows are neither lost nor doubled, and a job that is done twice, because a node died before
it could say so, writes the same again. This process plans, hears of results and keeps the manifest; it hands the jobs
to a `Conductor` in the cluster.
"""

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any

from pose_mdn.batch.engines.engine import EngineOptions
from pose_mdn.batch.engines.local import available_cores
from pose_mdn.batch.engines.messages import LAST_WORDS, Message, job_events
from pose_mdn.batch.engines.ray_cluster import joined, plan_crew
from pose_mdn.batch.events import JobEvent
from pose_mdn.batch.job import STDIN, Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError, WorkerError

_TICK_S = 0.1
_TICKS_PER_LOOK = 100
"""How often the cluster is looked at, while nothing is heard of it."""

_LOOKS_WITHOUT_CORES = 6


class RayEngine:
    """Workers on all nodes of a Ray cluster, or on one that is started on this machine and ended afterwards."""

    name = "ray"

    def __init__(self, options: EngineOptions | None = None) -> None:
        """Prepare; nothing is started before `run`."""
        self._options = options or EngineOptions()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let `run` end soon. Jobs under way are dropped; their outputs are whole or not there."""
        self._stopped.set()

    def run(self, jobs: Sequence[Job], settings: LiftSettings) -> Generator[JobEvent, None, None]:
        """Do all jobs; see `Engine.run`.

        Raises:
            MissingExtraError: Ray is not installed.
            InputError: The cluster does not answer, has no free cores, or its nodes lack the package, the model or the
                files.
            WorkerError: The cluster was lost on the way.
        """
        if not jobs:
            return
        if any(job.source == STDIN for job in jobs):
            raise InputError(
                "'-': expected files or addresses, which other machines can read, got what is piped in here; "
                "write it to a file, or use --engine local",
                field="inputs",
            )
        options = self._options
        with joined(options.cluster, cores=options.workers or available_cores()) as ray:
            if options.cluster is not None:
                _inspect(ray, jobs, settings)
            crew = plan_crew(
                total_cpus=ray.cluster_resources().get("CPU", 0.0),
                free_cpus=ray.available_resources().get("CPU", 0.0),
                wanted=options.workers,
                jobs=len(jobs),
            )
            conductor = _appointed(ray, jobs, settings, options.patience_s)
            try:
                ray.get(conductor.start.remote(crew, options.threads or 1, os.getcwd()))
                yield from self._heard(ray, conductor, jobs)
            except ray.exceptions.RayError as error:
                raise _lost(error) from error
            finally:
                # All workers belong to it and end with it.
                with suppress(Exception):
                    ray.kill(conductor)

    def _heard(self, ray: Any, conductor: Any, jobs: Sequence[Job]) -> Generator[JobEvent, None, None]:
        left, ticks, looks = len(jobs), 0, 0
        while left and not self._stopped.is_set():
            messages: list[Message]
            messages, fatal, ended = ray.get(conductor.take.remote())
            for message in messages:
                left -= message[0] in LAST_WORDS
                yield from job_events(jobs, message)
            if fatal is not None:
                raise InputError(fatal)
            if left and ended is not None:
                raise WorkerError(
                    f"cluster: expected results of all jobs, got {ended or 'none'!r} with {left} left; "
                    "--resume goes on with those"
                )
            ticks = 0 if messages else ticks + 1
            if ticks and ticks % _TICKS_PER_LOOK == 0:
                looks = 0 if ray.cluster_resources().get("CPU") else looks + 1
                _refuse_to_wait_for_nobody(looks, left)
            if not messages:
                self._stopped.wait(_TICK_S)


def _inspect(ray: Any, jobs: Sequence[Job], settings: LiftSettings) -> None:
    from pose_mdn.batch.engines.ray_probe import inspect_nodes  # noqa: PLC0415

    inspect_nodes(ray, jobs, settings)


def _appointed(ray: Any, jobs: Sequence[Job], settings: LiftSettings, patience_s: float) -> Any:
    """The actor that conducts, on this machine if it is a node of the cluster, where it lives as long as we do."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    from pose_mdn.batch.engines.ray_conductor import CALLS_AT_A_TIME, Conductor  # noqa: PLC0415

    # Not softly: Ray puts an actor without cores on any node then, and that may be the one that dies.
    near = NodeAffinitySchedulingStrategy(node_id=ray.get_runtime_context().get_node_id(), soft=False)
    made = ray.remote(Conductor).options(num_cpus=0, max_concurrency=CALLS_AT_A_TIME, scheduling_strategy=near)
    return made.remote(list(jobs), settings, patience_s)


def _refuse_to_wait_for_nobody(looks: int, left: int) -> None:
    if looks >= _LOOKS_WITHOUT_CORES:
        raise WorkerError(
            f"cluster: expected a node that works, got none for a minute, with {left} jobs left; "
            "start nodes, and go on with --resume"
        )


def _lost(error: BaseException) -> WorkerError:
    said = " ".join(str(error).split())[:200]
    return WorkerError(
        f"cluster: expected it to stay, got {type(error).__name__}: {said!r}; what is done is kept, --resume goes on"
    )
