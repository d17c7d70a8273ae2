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
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Draw poses of the data evenly over distinct poses, not over frames.")
    ] = False,
    human36m: Annotated[
        Path | None, typer.Option(help="Folder with data_3d_h36m.npz and data_2d_h36m_*.npz: protocols 1 and 2.")
    ] = None,
    keypoints: Annotated[
        str, typer.Option(help="Detections for --human36m: cpn_ft_h36m_dbb, gt, or another in the folder.")
    ] = "cpn_ft_h36m_dbb",
    root: Annotated[
        Literal["pelvis", "hips"],
        typer.Option(help="Where poses of --human36m are laid upon each other; pelvis is the benchmark."),
    ] = "pelvis",
    stride: Annotated[int, typer.Option(min=1, help="Take every so manieth frame of --human36m.")] = 1,
    model: Annotated[
        str, typer.Option(help="Lifter for keypoints: name, name/version or bundle folder.")
    ] = "mdn_lifter",
    num_hypotheses: Annotated[
        int | None, typer.Option(min=1, help="Poses per person, for lifters that sample (cvae_lifter).")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for lifting.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of virtual views and of the samples that measure calibration.")] = 0,
    by_action: Annotated[
        bool, typer.Option("--by-action", help="A line per action in the tables; JSON always has them.")
    ] = False,
    plots: Annotated[Path | None, typer.Option(help="Folder for pictures (needs matplotlib).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the settings, instead of tables.")] = False,
) -> None:
    """Measure a lifter, or hypotheses, against truth.

    Truth files hold `pose_camera_m` (N, 17, 3), metres in the camera frame, and optionally `action` (N,). Figures:
    MPJPE, PA- and N-MPJPE of the best of M, of samples, of the most probable and of the mean; PCK, AUC, CPS; NLL, CRPS,
    ECE, coverage; spread, win rates; MPSSE, MPSCE, joint limits, reprojection. docs/evaluation.md defines them.

    Examples: `pose-mdn evaluate views/ --json`, `pose-mdn evaluate --data motions.npz --split test --balanced` and
    `pose-mdn evaluate --human36m data/ --keypoints gt`
    """
    from rich.console import Console, RenderableType  # noqa: PLC0415  (heavy imports wait until the command runs)

    from pose_mdn.cli.evaluation_inputs import EvaluationRun, require_one_source  # noqa: PLC0415

    require_one_source(inputs=inputs or [], truth=truth, data=data, balanced=balanced, human36m=human36m, plots=plots)
    run = EvaluationRun(model=model, threads=threads, seed=seed, num_hypotheses=num_hypotheses)
    document: dict[str, object]
    tables: RenderableType
    if human36m is not None:
        document, tables = run.human36m(human36m, keypoints, root, stride)
    else:
        rows = run.files(inputs or [], truth) if data is None else run.virtual_views(data, split, views, balanced)
        document, tables = run.report(rows, by_action=by_action, plots=plots)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        Console(width=None if Console().is_terminal else 200).print(tables)
