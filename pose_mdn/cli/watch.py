"""`pose-mdn watch`: keypoints files are lifted as they arrive."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from pose_mdn.batch.arrivals import DEFAULT_PATIENCE_S, DEFAULT_SETTLE_S, Arrivals
from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.events import Done, Event, Failed, event_document
from pose_mdn.batch.job import Job
from pose_mdn.batch.watch import DEFAULT_INTERVAL_S, Watch, plan_watched, refuse_results_among_sources
from pose_mdn.cli import lift_options as options
from pose_mdn.cli import print_error
from pose_mdn.cli.lift import plan
from pose_mdn.cli.lift_request import LiftRequest, lift_request
from pose_mdn.cli.lift_run import EXIT_INTERRUPTED, ending_on_interrupt
from pose_mdn.cli.shared_options import with_options_of

_PANEL = "Watching"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(watch)


@with_options_of(lift_request, as_argument="request")
def watch(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", exists=True, file_okay=False, help="Folders in which files arrive."),
    ],
    *,
    request: LiftRequest,
    settle: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="A file is whole when it has not changed for so long, and ends as its kind does.",
            rich_help_panel=_PANEL,
        ),
    ] = DEFAULT_SETTLE_S,
    give_up: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="A file that cannot be read is called damaged when it has not changed for so long.",
            rich_help_panel=_PANEL,
        ),
    ] = DEFAULT_PATIENCE_S,
    interval: Annotated[
        float, typer.Option(min=0.05, metavar="SECONDS", help="From one look to the next.", rich_help_panel=_PANEL)
    ] = DEFAULT_INTERVAL_S,
    as_json: options.JsonOption = False,
    workers: options.WorkersOption = 0,
    threads: options.ThreadsOption = 0,
    patience: options.PatienceOption = options.DEFAULT_PATIENCE,
) -> None:
    """Lift files as they arrive in folders, until Ctrl-C.

    Half-written files are left until they are whole. What is done is remembered in OUT, so that a watch that is begun
    anew does nothing twice; a file that changes is lifted again. `pose-mdn index OUT` makes a page of what is there.
    """
    out = request.output
    if not isinstance(out, Path) or out.is_file():
        raise typer.BadParameter(f"OUT must be a folder on this machine, got {out}")
    refuse_results_among_sources(folders, out)
    out.mkdir(parents=True, exist_ok=True)
    how = EngineOptions(workers=workers, threads=threads, patience_s=patience, apart=True)
    watched = Watch(
        plan=lambda: _plan(folders, request),
        settings=request.settings,
        open_engine=lambda: open_engine("local", how),
        out=out,
        arrivals=Arrivals(settle_s=settle, patience_s=give_up),
        interval_s=interval,
    )
    typer.echo(f"watching {', '.join(map(str, folders))}; results go to {out}; Ctrl-C ends", err=True)
    try:
        with ending_on_interrupt(watched.stop), closing(watched.events()) as events:
            _say(events, as_json=as_json)
    except KeyboardInterrupt:
        print_error("interrupted at once; what was done is kept")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _plan(folders: list[Path], request: LiftRequest) -> list[Job]:
    return plan_watched(folders, lambda: plan([str(folder) for folder in folders], request)[0])


def _say(events: Iterator[Event], *, as_json: bool) -> None:
    """A line for each file that is done or has failed, and the sums at the end; or every event as JSON."""
    done = failed = rows = 0
    for event in events:
        if as_json:
            typer.echo(json.dumps(event_document(event)))
        match event:
            case Done(result=result):
                done, rows = done + 1, rows + result.rows
                if not as_json:
                    typer.echo(f"{result.job.label} -> {', '.join(output.path for output in result.outputs)}")
            case Failed():
                failed += 1
                print_error(event.error)
    typer.echo(f"{done} lifted ({rows} rows), {failed} failed", err=True)
