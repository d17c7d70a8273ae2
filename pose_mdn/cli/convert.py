"""`pose-mdn convert`: results and keypoints in other formats."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
