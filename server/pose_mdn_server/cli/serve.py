"""`pose-mdn serve`: answer over gRPC."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn_server.cli.setting_options import with_setting_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from pose_mdn_server.config import ServerConfig
    from pose_mdn_server.config_sources import ResolvedConfig
    from pose_mdn_server.processes.supervisor import Supervisor

EXAMPLES = """
**Examples**

`pose-mdn serve` answers this machine on 127.0.0.1:8001, with the bundled models.

`pose-mdn serve --port 0` takes any free port and says which.

`pose-mdn serve --repository models --default-model my_lifter` serves your own bundles, models/NAME/VERSION/.

`pose-mdn serve --workers 4 --max-batch 64` answers with four processes on one port.

`pose-mdn serve --host 0.0.0.0 --tls-certificate server.pem --tls-key server.key --tokens tokens.toml`
meets an open network, encrypted, and answers those it knows.

`pose-mdn serve --print-config > server.toml`, then `pose-mdn serve --config server.toml` keeps settings in a file.

Each setting is also a line of that file and a variable: `--max-batch 64` is `max_batch = 64` below `[limits]`, or
`POSE_MDN_MAX_BATCH=64`. A flag is stronger than a variable, a variable stronger than the file
(docs/server_settings.md). How to call the server: docs/protocol.md.
"""


def register(app: typer.Typer) -> None:
    """Add the `serve` command."""
    app.command("serve", epilog=EXAMPLES)(with_setting_options(serve))


def serve(
    *,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file of settings; else the one that POSE_MDN_CONFIG names."),
    ] = None,
    print_config: Annotated[
        bool,
        typer.Option("--print-config", help="Print all settings as such a file, each with its source, and end."),
    ] = False,
    **flags: str | bool | None,
) -> None:
    """Serve the models over gRPC, until Ctrl-C or SIGTERM.

    Answers pose_mdn.v1, the Open Inference Protocol v2, grpc.health.v1 and reflection. What is not said otherwise has
    the default, and is safe: only this machine is answered.
    """
    # gRPC's C code would write lines of its own beside ours, for example about a port that is taken.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

    from pose_mdn_server.config_sources import config_file, config_to_toml, resolve_config  # noqa: PLC0415

    def resolve() -> "ResolvedConfig":
        return resolve_config(config_file(config, os.environ), flags, os.environ)

    if print_config:
        typer.echo(config_to_toml(resolve()), nl=False)
        return
    _run(lambda: resolve().config)


def _run(read_config: "Callable[[], ServerConfig]") -> None:
    """Serve until a signal comes; exit code 1 if calls had to be cancelled."""
    from pose_mdn_server.processes.supervisor import Supervisor, supervise_until_signalled  # noqa: PLC0415
    from pose_mdn_server.telemetry import logs  # noqa: PLC0415

    def announce(supervisor: Supervisor) -> None:
        typer.echo(
            f"pose-mdn serves {', '.join(supervisor.models)} on {supervisor.address}; stop it with Ctrl-C\n"
            f"{_processes(supervisor)}"
        )

    config = read_config()
    logs.configure(log_format=config.log_format, access_log=config.access_log)
    if not supervise_until_signalled(read_config, announce):
        typer.echo(f"stopped; calls that took longer than {config.drain_s:g} s were cancelled")
        raise typer.Exit(1)
    typer.echo("stopped; every call was answered")


def _processes(supervisor: "Supervisor") -> str:
    workers = f"{supervisor.num_workers} worker{'s' if supervisor.num_workers > 1 else ''}"
    if supervisor.http_address is None:
        return workers
    return f"{workers}; metrics, probes and browsers: http://{supervisor.http_address}"
