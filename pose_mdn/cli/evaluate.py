"""`pose-mdn evaluate`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(help="Keypoints files (lifted first), hypotheses files, or folders of them, with their truth."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Truth of a single input; otherwise NAME.truth.npz beside each.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Motion data .npz: film a split of it through virtual cameras (needs torch).")
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"], typer.Option(help="Split of the motion data.")
    ] = "validation",
    views: Annotated[int, typer.Option(min=1, help="Virtual views per row of the table.")] = 3000,
    model: Annotated[
        str, typer.Option(help="Lifter for keypoints: name, name/version or bundle folder.")
    ] = "mdn_lifter",
    threads: Annotated[int | None, typer.Option(help="Threads for lifting.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of virtual views and of the samples that measure calibration.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a lifter, or hypotheses, against truth.

    Truth files hold `pose_camera_m` (N, 17, 3), metres in the camera frame, and optionally `action` (N,), which adds a
    row per action. Figures: best-of-M, top-1 and mean MPJPE, PA- and N-MPJPE, NLL, ECE, coverage, left-right asymmetry.

    Examples: `pose-mdn evaluate views/ --json` and `pose-mdn evaluate --data motions.npz --split test`
    """
    from rich.console import Console  # noqa: PLC0415  (heavy imports wait until the command runs)

    from pose_mdn.cli.evaluation_inputs import EvaluationRun  # noqa: PLC0415
    from pose_mdn.evaluation.table import evaluation_table  # noqa: PLC0415

    run = EvaluationRun(model=model, threads=threads, seed=seed)
    rows = run.files(inputs or [], truth) if data is None else run.virtual_views(data, split, views)
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        Console(width=None if Console().is_terminal else 200).print(evaluation_table(rows, title=model))
