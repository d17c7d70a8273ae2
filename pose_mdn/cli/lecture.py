"""`pose-mdn lecture`: the textbook made to run."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.errors import InputError, MissingExtraError
from pose_mdn.lecture.catalogue import EXAMPLES, Example

if TYPE_CHECKING:
    from rich.table import Table

    from pose_mdn.cli.progress import RowProgress
    from pose_mdn.lecture.example import Outcome, Progress

_EPILOG = (
    "docs/lecture.md leads from each formula of the lecture to the function that implements it, with the pictures."
)
_PICTURES = (".png", ".svg", ".pdf")

Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write the example's picture here: .png, .svg or .pdf (needs matplotlib)."),
]
Seed = Annotated[int, typer.Option(help="Of data, networks and samples; the same seed gives the same numbers.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="A few steps only, to see that all runs; the numbers mean nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def register(app: typer.Typer) -> None:
    """Add the command group `lecture`, a command for each example."""
    group = typer.Typer(
        name="lecture",
        help="Mixture density networks and variational autoencoders: the textbook's examples, run and drawn.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        epilog=_EPILOG,
    )
    for example in EXAMPLES:
        group.command(example.name, help=_help(example), short_help=example.title)(_command(example))
    app.add_typer(group)


def _help(example: Example) -> str:
    return f"{example.title}.\n\n{example.teaches}\n\nExample: pose-mdn lecture {example.name} --out {example.name}.png"


def _command(example: Example) -> Callable[..., None]:
    def command(*, out: Out = None, seed: Seed = 0, quick: Quick = False, as_json: AsJson = False) -> None:
        _run(example, out=out, seed=seed, quick=quick, as_json=as_json)

    return command


def _run(example: Example, *, out: Path | None, seed: int, quick: bool, as_json: bool) -> None:
    _require(example, out)
    from rich.console import Console  # noqa: PLC0415  (heavy imports wait until the command runs)

    from pose_mdn.cli.progress import row_progress  # noqa: PLC0415

    with row_progress(unit="steps") as bar:
        outcome = example.load()(seed=seed, quick=quick, progress=_steps_on(bar))
    if out is not None:
        _write_picture(outcome, out)
    if as_json:
        findings = [asdict(finding) for finding in outcome.findings]
        document = {"example": example.name, "seed": seed, "quick": quick, "findings": findings}
        typer.echo(json.dumps(document, allow_nan=False))
        return
    console = Console(highlight=False)
    console.print(_table(outcome))
    if quick:
        console.print("--quick: the numbers mean nothing; run without it to see what the lecture says")
    if out is not None:
        console.print(f"picture: {out}", soft_wrap=True)


def _steps_on(bar: "RowProgress") -> "Progress":
    at, reached = "", 0

    def show(what: str, done: int, total: int) -> None:
        nonlocal at, reached
        if what != at:
            bar.begin(what, total)
            at, reached = what, 0
        bar.advance(done - reached)
        reached = done

    return show


def _require(example: Example, out: Path | None) -> None:
    """Refuse what cannot be finished, before anything is trained."""
    needed = ["torch", *(["sklearn"] if example.uses_digits else []), *(["matplotlib"] if out is not None else [])]
    missing = [module for module in needed if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingExtraError(
            f"`lecture {example.name}` needs {' and '.join(missing)}, which is not installed; "
            "install all of it with: pip install 'pose-mdn[lecture]'"
        )
    if out is not None and out.suffix.lower() not in _PICTURES:
        raise InputError(f"--out: expected a name that ends in {', '.join(_PICTURES)}, got '{out}'; choose one of them")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out: expected a folder that exists, got '{out.parent}'; create it or choose another")


def _write_picture(outcome: "Outcome", path: Path) -> None:
    from pose_mdn.formats.atomic import replace_atomically  # noqa: PLC0415
    from pose_mdn.visualization.chart_style import house_style  # noqa: PLC0415

    with house_style():
        figure = outcome.draw()
        with replace_atomically(path) as draft:
            figure.savefig(draft, format=path.suffix[1:].lower())


def _table(outcome: "Outcome") -> "Table":
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("the lecture says", overflow="fold")
    for finding in outcome.findings:
        table.add_row(f"{finding.value:.4g}", finding.meaning, finding.expected)
    return table
