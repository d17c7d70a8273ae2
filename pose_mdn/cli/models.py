"""`pose-mdn models`: what can be loaded by name."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("models")(models)


def models(
    repository: Annotated[
        Path | None,
        typer.Option(help="A folder of bundles; the bundled models if left out.", exists=True, file_okay=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list for machines.")] = False,
) -> None:
    """List the models, after verifying their checksums."""
    from pose_mdn.inference.bundle import list_bundles  # noqa: PLC0415

    bundles = list_bundles(repository)
    if as_json:
        facts = [
            {
                "name": bundle.name,
                "version": bundle.version,
                "kind": bundle.kind,
                "num_hypotheses": bundle.num_hypotheses,
                "licence": bundle.licence,
                "training_data": bundle.training_data,
                "path": str(bundle.path),
            }
            for bundle in bundles
        ]
        typer.echo(json.dumps(facts))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for heading in ("model", "kind", "M", "licence", "trained on"):
        table.add_column(heading, overflow="fold")
    for bundle in bundles:
        hypotheses = "-" if bundle.num_hypotheses is None else str(bundle.num_hypotheses)
        table.add_row(f"{bundle.name}/{bundle.version}", bundle.kind, hypotheses, bundle.licence, bundle.training_data)
    Console().print(table)
