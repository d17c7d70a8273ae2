"""`pose-mdn export`."""

from pathlib import Path
from typing import Annotated

import typer

from pose_mdn.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of `pose-mdn train`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model repository: the bundle goes to NAME/VERSION in it.")
    ],
    name: Annotated[str, typer.Option(help="Name under which the model is loaded and served.")] = "mdn_lifter",
    version: Annotated[int, typer.Option(min=1, help="Version, a positive integer.")] = 1,
    licence: Annotated[str, typer.Option(help="SPDX expression of the weights' licence.")] = "Apache-2.0",
    training_data: Annotated[str, typer.Option(help="What it was trained on, with acknowledgements.")] = "not stated",
    card: Annotated[Path | None, typer.Option(help="Model card, Markdown; a short one is written if absent.")] = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Write NAME/VERSION-int8 beside it, too, if it loses at most 1 mm (needs --data)."),
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Motion data .npz: ranges of --int8 are measured on its training subjects.")
    ] = None,
) -> None:
    """Export a trained lifter as a checked ONNX bundle.

    Pre- and post-processing are inside the graph. Nothing is written unless ONNX Runtime agrees with torch to a tenth
    of a millimetre at batch sizes 1, 7, 64 and 256 with random joints missing.

    Example: pose-mdn export runs/first -o models --version 2 && pose-mdn lift clip.npz -o out.npz --model
        models/mdn_lifter/2

    With --int8: pose-mdn export runs/first -o models --version 2 --int8 --data motions.npz
    """
    from pose_mdn.training.checkpoint import load_trained  # noqa: PLC0415  (heavy imports wait until the command runs)
    from pose_mdn_export.bundle_writer import BundleDescription, write_bundle  # noqa: PLC0415

    if int8 and data is None:
        raise ConfigError(
            "--int8: expected --data MOTIONS.npz, on whose people ranges and losses are measured, got none"
        )
    graph, config, steps = load_trained(run)
    text = card.read_text(encoding="utf-8") if card else f"# {name} {version}\n\nTrained on: {training_data}\n"
    description = BundleDescription(name=name, version=version, licence=licence, training_data=training_data, card=text)
    folder, differences = write_bundle(graph, config, steps, description, output)
    for tensor, difference in differences.items():
        typer.echo(f"{tensor:24s} largest difference from torch {difference:.2g}", err=True)
    typer.echo(str(folder))
    if data is not None and int8:
        from pose_mdn_export.int8 import write_int8_bundle  # noqa: PLC0415

        quantised, changes = write_int8_bundle(graph, config, folder, data)
        for row, figures in changes.items():
            largest = max(figures, key=lambda key: figures[key])
            typer.echo(f"{row:24s} largest loss to int8 {figures[largest]:+.2f} mm ({largest})", err=True)
        typer.echo(str(quantised))
