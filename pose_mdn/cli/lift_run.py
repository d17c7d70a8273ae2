"""Running a batch on the command line: events become bars and lines, or JSON; Ctrl-C ends it."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

import typer

from pose_mdn.batch.engines.engine import Engine
from pose_mdn.batch.events import Event, Failed, Finished, event_document
from pose_mdn.batch.job import Job
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.cli import EXIT_FAILED, print_error
from pose_mdn.cli.index import index_folder
from pose_mdn.cli.lift_summary import print_finished

EXIT_INTERRUPTED = 130
"""Ctrl-C; as shells say it: 128 and the number of the signal."""


def run(
    jobs: list[Job],
    settings: LiftSettings,
    engine: Engine,
    folder: Path | str | None,
    *,
    resume: bool,
    as_json: bool,
    page: Path | None = None,
) -> None:
    """Do all jobs and say how it went.

    Args:
        jobs: What to do.
        settings: How to read, lift and write.
        engine: Who does the jobs.
        folder: OUT, if it is a folder.
        resume: Whether to leave out what is done.
        as_json: Whether events are printed for machines.
        page: OUT, if it gets a page of its clips at the end.

    Raises:
        typer.Exit: With 1 if a job failed, with 130 if the batch was interrupted.
        PoseMDNError: Nothing could be done.
    """
    finished: Finished | None = None
    try:
        with (
            closing(run_batch(jobs, settings, engine, out=folder, resume=resume)) as events,
            ending_on_interrupt(engine.stop),
        ):
            for event in shown(events, as_json=as_json):
                finished = event if isinstance(event, Finished) else finished
    except KeyboardInterrupt:
        print_error("interrupted at once; what was done is kept")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    assert finished is not None
    if not as_json:
        print_finished(finished, folder)
    if finished.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if page is not None:
        index_folder(page, quiet=as_json)
    if finished.failed:
        raise typer.Exit(EXIT_FAILED)


def shown(events: Iterator[Event], *, as_json: bool) -> Iterator[Event]:
    """Print events as they pass: JSON on stdout, bars and errors on stderr."""
    with _progress() as show:
        for event in events:
            if as_json:
                typer.echo(json.dumps(event_document(event)))
            show(event)
            if isinstance(event, Failed):
                print_error(event.error)
            yield event


@contextmanager
def _progress() -> Iterator[Callable[[Event], None]]:
    """What draws events, if somebody looks."""
    if not sys.stderr.isatty():
        yield lambda _event: None
        return
    # Drawing takes longer to import than to do.
    from pose_mdn.cli.batch_progress import BatchProgress  # noqa: PLC0415

    with BatchProgress() as progress:
        yield progress.show


@contextmanager
def ending_on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C lets the batch end soon; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        typer.echo("ending: what is being written is finished; Ctrl-C again ends at once", err=True)
        stop()

    before: Callable[[int, FrameType | None], object] | int | None = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
