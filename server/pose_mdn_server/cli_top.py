"""`pose-mdn top`: watch a server at work."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pose_mdn_server.telemetry.activity import Activity
    from pose_mdn_server.telemetry.watch import Watch

DEFAULT_ADDRESS = "127.0.0.1:8002"
_HISTORY = 240


def register(app: typer.Typer) -> None:
    """Add the `top` command."""
    app.command("top")(top)


def top(
    address: Annotated[str, typer.Argument(help="HTTP address of the server, HOST:PORT or PORT.")] = DEFAULT_ADDRESS,
    interval_s: Annotated[
        float, typer.Option("--interval", help="Seconds from one look to the next.", min=0.1, max=60.0)
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Look for one interval, print what was seen, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same, as one JSON object.")] = False,
) -> None:
    """Watch a running server: rates, latencies, queue, batches, processes, failures.

    It reads the server's metrics page. Rates and quantiles are of the last few seconds. Leave with q or Ctrl-C.
    Where the output is no terminal, it prints once.
    """
    import sys  # noqa: PLC0415

    from pose_mdn.cli import EXIT_FAILED, print_error  # noqa: PLC0415
    from pose_mdn_server.errors import ServerUnavailableError  # noqa: PLC0415
    from pose_mdn_server.telemetry.watch import Watch  # noqa: PLC0415

    watch = Watch(_address(address), interval_s=interval_s)
    try:
        watch.begin()
        if as_json:
            _print_json(watch)
        elif once or not sys.stdout.isatty():
            _print_once(watch)
        else:
            _live(watch)
    except ServerUnavailableError as error:
        print_error(str(error))
        raise typer.Exit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        pass


def _address(given: str) -> str:
    address = given.removeprefix("http://").rstrip("/").removesuffix("/metrics")
    if address.isdecimal():
        return f"127.0.0.1:{address}"
    return address if ":" in address.rpartition("]")[2] else f"{address}:8002"


def _print_json(watch: "Watch") -> None:
    import json  # noqa: PLC0415

    typer.echo(json.dumps({"address": watch.address, "version": watch.version, **asdict(watch.next())}))


def _print_once(watch: "Watch") -> None:
    from rich.console import Console  # noqa: PLC0415

    from pose_mdn_server.telemetry.top_view import top_view  # noqa: PLC0415

    console = Console()
    console.print(top_view(watch.next(), title=watch.title, history=(), size=(console.width, 10_000)))


def _live(watch: "Watch") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from pose_mdn_server.errors import ServerUnavailableError  # noqa: PLC0415
    from pose_mdn_server.telemetry.keyboard import keys  # noqa: PLC0415
    from pose_mdn_server.telemetry.top_view import top_view  # noqa: PLC0415

    console = Console()
    seen: deque[Activity] = deque(maxlen=_HISTORY)

    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            try:
                seen.append(watch.next(_leave_on_q(pressed)))
                notice = Text(f"the last {seen[-1].window_s:.0f} s, every {watch.interval_s:g} s   q leaves", "dim")
            except ServerUnavailableError as error:
                if not seen:
                    raise
                reason = str(error).rpartition(", got ")[2].partition(";")[0]
                notice = Text(f"no answer for {watch.silent_s:.0f} s ({reason}); still looking   q leaves", "bold red")
            size = (console.width, console.height)
            past = list(seen)[:-1]
            live.update(top_view(seen[-1], title=watch.title, history=past, size=size, notice=notice), refresh=True)


def _leave_on_q(pressed: Callable[[float], str]) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        if pressed(seconds) in {"q", "Q"}:
            raise KeyboardInterrupt

    return wait
