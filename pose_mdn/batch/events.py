"""What happens during a batch, as values: drawn as bars for people, printed as JSON lines for machines.

An engine yields `Started`, `Advanced`, `Done` and `Failed`; `pose_mdn.batch.run` adds `Planned` and `Finished`. Each
job ends in exactly one of `Done` and `Failed`, unless the batch is interrupted. `Started` may come more than once for a
job, if its worker died and the job is begun again; the rows counted so far are void then.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from pose_mdn.batch.job import Job
from pose_mdn.batch.result import JobResult


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What will be done.

    Attributes:
        jobs: How many there are in all.
        skipped: How many of them are done already (`--resume`).
        engine: Name of the engine.
        model: Name and version of the lifter.
    """

    jobs: int
    skipped: int
    engine: str
    model: str


@dataclass(frozen=True, kw_only=True)
class Started:
    """A job's source was read, and its rows are being lifted.

    Attributes:
        job: Which.
        rows: How many it has.
    """

    job: Job
    rows: int


@dataclass(frozen=True, kw_only=True)
class Advanced:
    """Rows of a job were lifted.

    Attributes:
        job: Which.
        rows: How many since the last such event.
    """

    job: Job
    rows: int


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job's results are in place."""

    result: JobResult


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A job could not be done; nothing of it was written.

    Attributes:
        job: Which.
        error: Why, in one line that names the source.
    """

    job: Job
    error: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The end, and all of it.

    Attributes:
        model: Name and version of the lifter.
        results: Jobs done now, in the order of the plan.
        failed: Jobs that could not be done, in the order of the plan.
        skipped: How many were done already.
        left: How many were not reached, because the batch was interrupted.
        interrupted: Whether it was.
        seconds: From the plan to the end.
    """

    model: str
    results: tuple[JobResult, ...]
    failed: tuple[Failed, ...]
    skipped: int = 0
    left: int = 0
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows were done now."""
        return sum(result.rows for result in self.results)


JobEvent = Started | Advanced | Done | Failed
"""What engines yield."""

Event = Planned | JobEvent | Finished


def event_document(event: Event) -> dict[str, Any]:
    """An event as JSON: `{"event": "advanced", "input": ..., "rows": 512}`."""
    match event:
        case Planned():
            return {"event": "planned", **asdict(event)}
        case Started() | Advanced():
            return {"event": type(event).__name__.lower(), **_named(event.job), "rows": event.rows}
        case Done():
            return {"event": "done", **result_document(event.result)}
        case Failed():
            return {"event": "failed", **failure_document(event)}
        case Finished():
            bare = asdict(replace(event, results=(), failed=()))
            results = [result_document(result) for result in event.results]
            failed = [failure_document(failure) for failure in event.failed]
            return {"event": "finished", **bare, "rows": event.rows, "results": results, "failed": failed}


def result_document(result: JobResult) -> dict[str, Any]:
    """A result as the command line prints it."""
    document = result.to_document()
    for name in ("job", "model", "source_stamp"):
        del document[name]
    return {**_named(result.job), "output": result.outputs[0].path, **document}


def failure_document(failed: Failed) -> dict[str, Any]:
    """A failure as the command line prints it."""
    return {**_named(failed.job), "error": failed.error}


def _named(job: Job) -> dict[str, Any]:
    named: dict[str, Any] = {"input": job.source}
    if job.clip is not None:
        named["clip"] = job.clip
    if job.rows is not None:
        named["part"] = list(job.rows)
    return named
