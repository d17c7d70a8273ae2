"""`pose-mdn view`: a result as a page to look at."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the `view` command."""
    app.command("view")(view)


def view(
    result: Annotated[Path, typer.Argument(help="Hypotheses file written by `pose-mdn lift` (.npz or .parquet).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path("report.html"),
    title: Annotated[str | None, typer.Option(help="Heading of the page; the file's name if left out.")] = None,
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", help="Bound on the data; longer results keep every k-th frame.")
    ] = 20.0,
) -> None:
    """Write one self-contained HTML page: 2D pose, 3D hypotheses that turn under the mouse, weights, uncertainty.

    The page opens from a disk and makes no network request, so it can be mailed.
    """
    from rich.console import Console  # noqa: PLC0415

    from pose_mdn.formats import read_hypotheses  # noqa: PLC0415
    from pose_mdn.visualization import write_report  # noqa: PLC0415

    console = Console(highlight=False)
    summary = write_report(read_hypotheses(result), output, title=title or result.stem, max_megabytes=max_megabytes)
    frames = f"{summary.frames_total} frames"
    if summary.frames_shown < summary.frames_total:
        frames = f"{summary.frames_shown} of {summary.frames_total} frames, see --max-megabytes"
    console.print(f"wrote {summary.path} ({frames}, {summary.size_bytes / 1e6:.1f} MB)", soft_wrap=True)
