"""`pose-mdn serve`: answer over gRPC."""

from pathlib import Path
from typing import Annotated

import typer

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def register(app: typer.Typer) -> None:
    """Add the `serve` command."""
    app.command("serve")(serve)


def serve(  # noqa: PLR0917 - typer passes them by name
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port; 0 takes any free one and says which.")] = 8001,
    repository: Annotated[
        Path | None,
        typer.Option(help="Folder of model bundles, NAME/VERSION/; the bundled ones if left out.", show_default=False),
    ] = None,
    default_model: Annotated[str, typer.Option(help="Lifter for requests that name none.")] = "mdn_lifter",
    call_threads: Annotated[int, typer.Option(help="Calls worked on at the same time.")] = 8,
    max_streams: Annotated[int, typer.Option(help="Streams served at the same time, beside these calls.")] = 16,
    inference_threads: Annotated[int, typer.Option(help="Processor threads for each run of a model.")] = 1,
    max_poses_per_call: Annotated[int, typer.Option(help="Longest list of poses that one call may bring.")] = 4096,
    drain_s: Annotated[float, typer.Option(help="Seconds for calls under way to finish after SIGTERM.")] = 20.0,
    access_log: Annotated[bool, typer.Option(help="One line on stderr for each call; never any keypoints.")] = False,
) -> None:
    """Serve the models over gRPC, until Ctrl-C or SIGTERM.

    Answers pose_mdn.v1 (PoseLiftingService, PoseGenerationService, ModelService), the Open Inference Protocol v2,
    grpc.health.v1 and reflection. docs/protocol.md shows how to call it from Python and from other languages.
    """
    import logging  # noqa: PLC0415
    import os  # noqa: PLC0415

    # gRPC's C code would write lines of its own beside ours, for example about a port that is taken.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

    from pose_mdn_server.config import ServerConfig  # noqa: PLC0415
    from pose_mdn_server.server import PoseServer, serve_until_signalled  # noqa: PLC0415

    def announce(server: PoseServer) -> None:
        names = ", ".join(f"{model.name}/{model.version}" for model in server.models.all())
        typer.echo(f"pose-mdn serves {names} on {server.address}; stop it with Ctrl-C")
        if host not in LOOPBACK:
            typer.echo(f"note: {host} is open to the network, without encryption; see docs/protocol.md", err=True)

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("pose_mdn_server.access").setLevel(logging.INFO if access_log else logging.WARNING)
    config = ServerConfig(
        host=host,
        port=port,
        repository=repository,
        default_model=default_model,
        call_threads=call_threads,
        max_streams=max_streams,
        inference_threads=inference_threads,
        max_poses_per_call=max_poses_per_call,
        drain_s=drain_s,
    )
    if not serve_until_signalled(config, announce):
        typer.echo(f"stopped; calls that took longer than {drain_s:g} s were cancelled")
        raise typer.Exit(1)
    typer.echo("stopped; every call was answered")
