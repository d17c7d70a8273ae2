"""`pose-mdn index`: a folder of results as a page to look at."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.cli import EXIT_FAILED, print_error

if TYPE_CHECKING:
    from pose_mdn.batch.folder_index import FolderIndex, FolderPage

MOST_VIEWERS = 500
"""A batch of more clips writes no page for each, which take longer and more disk than lifting, unless asked to."""


def register(app: typer.Typer) -> None:
    """Add the `index` command."""
    app.command("index")(index)


def index(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of results written by `pose-mdn lift`.")],
    *,
    title: Annotated[str, typer.Option(help="Heading of the page; the folder's name if left out.")] = "",
    viewers: Annotated[
        bool, typer.Option("--viewers/--no-viewers", help="Write a page for each clip, too, to OUT/viewers.")
    ] = True,
    max_megabytes: Annotated[
        float,
        typer.Option(
            "--max-megabytes",
            min=0.01,
            help="Bound on the data of each clip's page; longer clips keep every k-th frame.",
        ),
    ] = 1.0,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 means one for each core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures of all clips for machines.")] = False,
) -> None:
    """Write OUT/index.html: a thumbnail, figures and flags of every clip, to sort and filter, and links to their pages.

    Clips are found by the manifest of the batch, and by the hypotheses files in the folder (.npz, .parquet, .jsonl).
    Nothing is lifted again. The exit code is 1 if a result cannot be read; the page then says why.
    """
    from pose_mdn.batch.folder_index import FolderIndex, IndexSettings  # noqa: PLC0415

    settings = IndexSettings(viewers=viewers, max_megabytes=max_megabytes, title=title, workers=workers)
    found = FolderIndex(folder, settings)
    _describe(found)
    page = found.write()
    _print(page, as_json=as_json)
    if page.unreadable:
        raise typer.Exit(EXIT_FAILED)


def index_folder(folder: Path, *, quiet: bool) -> None:
    """Index a folder after a batch; clips get pages of their own unless there are very many of them."""
    from pose_mdn.batch.folder_index import FolderIndex, IndexSettings  # noqa: PLC0415

    found = FolderIndex(folder, IndexSettings(most_viewers=MOST_VIEWERS))
    _describe(found)
    page = found.write()
    if quiet:
        return
    _print(page, as_json=False)
    if len(found) > MOST_VIEWERS:
        typer.echo(f"no pages of single clips, being more than {MOST_VIEWERS}: `pose-mdn index {folder}` writes them")


def _describe(found: "FolderIndex") -> None:
    from pose_mdn.cli.progress import row_progress  # noqa: PLC0415

    with row_progress(unit="clips") as progress:
        progress.begin("reading results", len(found))
        for _ in found.describe():
            progress.advance(1)


def _print(page: "FolderPage", *, as_json: bool) -> None:
    from pose_mdn.quality import quality_flags  # noqa: PLC0415

    flagged = [clip for clip in page.clips if quality_flags(clip.quality)]
    if as_json:
        clips = [
            {key: value for key, value in clip.to_dict().items() if key != "thumbnail"}
            | {"flags": [{"name": flag.name, "level": flag.level} for flag in quality_flags(clip.quality)]}
            for clip in page.clips
        ]
        failed = [{"input": each.source, "error": each.reason} for each in page.failed]
        typer.echo(json.dumps({"page": str(page.path), "clips": clips, "failed": failed}))
        return
    for each in page.failed[len(page.failed) - page.unreadable :]:
        text = each.reason if each.source in each.reason else f"{each.source}: {each.reason}"
        print_error(text.encode("utf-8", "replace").decode())
    viewers = sum(clip.viewer is not None for clip in page.clips)
    typer.echo(
        f"wrote {page.path} ({_counted(len(page.clips), 'clip')}, {len(flagged)} flagged, {len(page.failed)} failed, "
        f"{_counted(viewers, 'viewer')})"
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
