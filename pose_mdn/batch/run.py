"""A batch from its plan to its end: an engine does the jobs, the manifest remembers them, the caller hears of all."""

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from pose_mdn.batch.backend import ModelIdentity, identify_model
from pose_mdn.batch.engines.engine import Engine
from pose_mdn.batch.events import Done, Event, Failed, Finished, Planned
from pose_mdn.batch.job import Job
from pose_mdn.batch.settings import LiftSettings

if TYPE_CHECKING:
    from pose_mdn.batch.record import Record


def run_batch(
    jobs: Sequence[Job],
    settings: LiftSettings,
    engine: Engine,
    *,
    out: Path | str | None = None,
    resume: bool = False,
) -> Generator[Event, None, None]:
    """Do all jobs, and yield what happens, from `Planned` to `Finished`.

    If `engine.stop()` is called, the batch ends soon, with a `Finished` that says so. Closing the iterator ends it at
    once. In either case, and if the process is killed, what was done is kept.

    Args:
        jobs: From `plan_jobs`.
        settings: How to read, lift and write.
        engine: Who does the jobs.
        out: The folder of the results, or its address, which gets a manifest; `None` if there is none.
        resume: Whether jobs that the manifest calls done are left out.

    Raises:
        InputError: The folder was begun with other settings, or another run is at work in it.
        PoseMDNError: No job can be done, for instance because there is no such model.
    """
    model = identify_model(settings)
    if out is None:
        yield from _run(jobs, settings, engine, model, None, skipped=0)
        return
    from pose_mdn.batch.leftovers import remove_leftovers, remove_page_leftovers  # noqa: PLC0415
    from pose_mdn.batch.record import opened_record  # noqa: PLC0415

    with ExitStack() as cleaning:
        record = cleaning.enter_context(opened_record(out))
        manifest = record.manifest
        manifest.begin(settings, model, resume=resume)
        left = [job for job in jobs if not manifest.is_done(job)] if resume else list(jobs)
        if resume:
            remove_leftovers(jobs)
            if isinstance(out, Path):
                remove_page_leftovers(out)
        # Workers that are ended cannot clean up behind themselves.
        cleaning.callback(remove_leftovers, left)
        manifest.forget(left)
        yield from _run(left, settings, engine, model, record, skipped=len(jobs) - len(left))


def _run(
    jobs: Sequence[Job],
    settings: LiftSettings,
    engine: Engine,
    model: ModelIdentity,
    record: "Record | None",
    *,
    skipped: int,
) -> Generator[Event, None, None]:
    began_s = time.monotonic()
    yield Planned(jobs=len(jobs) + skipped, skipped=skipped, engine=engine.name, model=model.label)
    place = {job.target: number for number, job in enumerate(jobs)}
    done: list[Done] = []
    failed: list[Failed] = []
    with closing(engine.run(jobs, settings)) as events:
        for event in events:
            match event:
                case Done():
                    done.append(event)
                    if record is not None:
                        record.manifest.record_done(event.result)
                        record.keep()
                case Failed():
                    failed.append(event)
                    if record is not None:
                        record.manifest.record_failed(event)
            yield event
    left = len(jobs) - len(done) - len(failed)
    results = sorted((event.result for event in done), key=lambda result: place[result.job.target])
    yield Finished(
        model=model.label,
        results=tuple(results),
        failed=tuple(sorted(failed, key=lambda failure: place[failure.job.target])),
        skipped=skipped,
        left=left,
        interrupted=left > 0,
        seconds=round(time.monotonic() - began_s, 3),
    )
