"""`pose-mdn evaluate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pose_mdn.evaluation.protocol import EvaluationRow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    inputs: Annotated[
        list[Path], typer.Argument(help="Keypoints files (lifted first), hypotheses files, or folders of them.")
    ],
    truth: Annotated[
        Path | None, typer.Option(help="Truth of a single input; otherwise NAME.truth.npz beside each.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Lifter for keypoints files: name, name/version or bundle folder.")
    ] = "mdn_lifter",
    threads: Annotated[int | None, typer.Option(help="Threads for lifting.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples that measure calibration.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a lifter, or hypotheses, against truth.

    Truth files hold `pose_camera_m` (N, 17, 3), metres in the camera frame, and optionally `action` (N,), which adds
    a row
    per action. Figures: best-of-M, top-1 and mean MPJPE, PA- and N-MPJPE, NLL, ECE, coverage, left-right asymmetry.

    Example: pose-mdn evaluate views/ --json
    """
    from rich.console import Console  # noqa: PLC0415  (heavy imports wait until the command runs)

    from pose_mdn.cli.evaluation_inputs import evaluation_cases, evaluation_rows  # noqa: PLC0415
    from pose_mdn.evaluation.table import evaluation_table  # noqa: PLC0415

    rows: list[EvaluationRow] = []
    for case in evaluation_cases(inputs, truth):
        rows += evaluation_rows(case, model=model, threads=threads, seed=seed)
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        Console(width=None if Console().is_terminal else 200).print(evaluation_table(rows, title=model))
