"""Jobs done by processes of this machine."""

from collections.abc import Iterator, Sequence

from pose_mdn.batch.engines.engine import EngineOptions
from pose_mdn.batch.events import Advanced, Done, Failed, JobEvent, Started
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.work import JobWorker
from pose_mdn.errors import PoseMDNError


class LocalEngine:
    """Worker processes of this machine; a single job is done in this very process, which is there already."""

    name = "local"

    def __init__(self, options: EngineOptions | None = None) -> None:
        """Prepare; nothing is started before `run`."""
        self._options = options or EngineOptions()
        self._stopped = False

    def stop(self) -> None:
        """Begin nothing new and let `run` end soon."""
        self._stopped = True

    def run(self, jobs: Sequence[Job], settings: LiftSettings) -> Iterator[JobEvent]:
        """Do all jobs; see `Engine.run`."""
        with JobWorker(settings) as worker:
            for job in jobs:
                if self._stopped:
                    return
                events: list[JobEvent] = []

                def on_rows(done: int, rows: int, job: Job = job, events: list[JobEvent] = events) -> None:
                    events.append(Advanced(job=job, rows=done) if done else Started(job=job, rows=rows))

                try:
                    result = worker.run(job, on_rows)
                except PoseMDNError as error:
                    yield Failed(job=job, error=str(error))
                    continue
                yield from events
                yield Done(result=result)
