"""`pose-mdn export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pose_mdn.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from pose_mdn_export.bundle_writer import BundleDescription

_POSES = 1500
_POSES_PER_CLASS = 200
"""Real poses whose scores say what is usual, per draw and per class."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    run: Annotated[Path, typer.Argument(help="Run folder of `pose-mdn train`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model repository: the bundle goes to NAME/VERSION in it.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name under which the model is loaded and served; that of its kind if absent.")
    ] = None,
    version: Annotated[int, typer.Option(min=1, help="Version, a positive integer.")] = 1,
    licence: Annotated[str, typer.Option(help="SPDX expression of the weights' licence.")] = "Apache-2.0",
    training_data: Annotated[str, typer.Option(help="What it was trained on, with acknowledgements.")] = "not stated",
    card: Annotated[Path | None, typer.Option(help="Model card, Markdown; a short one is written if absent.")] = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Write NAME/VERSION-int8 beside it, too, if it loses at most 1 mm (needs --data)."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Motion data .npz: for --int8, and for the usual range of priors over poses."),
    ] = None,
) -> None:
    """Export a trained model as a checked ONNX bundle.

    Pre- and post-processing are inside the graph. Nothing is written unless ONNX Runtime agrees with torch to a tenth
    of a millimetre at batch sizes 1, 7, 64 and 256 with random joints missing.

    Example: pose-mdn export runs/first -o models --version 2 && pose-mdn lift clip.npz -o out.npz --model
        models/mdn_lifter/2

    With --int8: pose-mdn export runs/first -o models --version 2 --int8 --data motions.npz
    """
    from pose_mdn.config import TrainingConfig, read_config  # noqa: PLC0415  (heavy imports wait for the command)
    from pose_mdn.training.checkpoint import RunFolder  # noqa: PLC0415
    from pose_mdn_export.bundle_writer import BundleDescription  # noqa: PLC0415

    if int8 and data is None:
        raise ConfigError(
            "--int8: expected --data MOTIONS.npz, on whose people ranges and losses are measured, got none"
        )
    settings_file = RunFolder(path=run).config
    if not settings_file.is_file():
        raise CheckpointError(f"{run}: expected a run folder of `pose-mdn train`, found no {settings_file.name} in it")
    kind = read_config(settings_file).kind
    lifter_kind = TrainingConfig().kind
    name = name or ("mdn_lifter" if kind == lifter_kind else kind)
    text = card.read_text(encoding="utf-8") if card else f"# {name} {version}\n\nTrained on: {training_data}\n"
    description = BundleDescription(name=name, version=version, licence=licence, training_data=training_data, card=text)
    if kind == lifter_kind:
        _export_lifter(run, description, output, int8=int8, data=data)
    elif kind == "cvae_lifter":
        _export_cvae_lifter(run, description, output)
    else:
        _export_pose_prior(run, description, output, data)


def _export_lifter(run: Path, description: "BundleDescription", output: Path, *, int8: bool, data: Path | None) -> None:
    from pose_mdn.training.checkpoint import load_trained  # noqa: PLC0415
    from pose_mdn_export.bundle_writer import write_bundle  # noqa: PLC0415

    graph, config, steps = load_trained(run)
    folder, differences = write_bundle(graph, config, steps, description, output)
    _say_differences(folder, differences)
    if data is not None and int8:
        from pose_mdn_export.int8 import write_int8_bundle  # noqa: PLC0415

        quantised, changes = write_int8_bundle(graph, config, folder, data)
        for row, figures in changes.items():
            largest = max(figures, key=lambda key: figures[key])
            typer.echo(f"{row:24s} largest loss to int8 {figures[largest]:+.2f} mm ({largest})", err=True)
        typer.echo(str(quantised))


def _export_cvae_lifter(run: Path, description: "BundleDescription", output: Path) -> None:
    from pose_mdn.training.cvae_lifter import load_cvae_run  # noqa: PLC0415
    from pose_mdn_export.generative_bundles import write_cvae_lifter_bundle  # noqa: PLC0415

    model, config, steps = load_cvae_run(run)
    _say_differences(*write_cvae_lifter_bundle(model, config, steps, description, output))


def _export_pose_prior(run: Path, description: "BundleDescription", output: Path, data: Path | None) -> None:
    from pose_mdn.evaluation.pose_priors import real_labelled_poses, usual_poses  # noqa: PLC0415
    from pose_mdn.training.pose_vae import load_pose_vae_run  # noqa: PLC0415
    from pose_mdn_export.generative_bundles import write_pose_prior_bundle  # noqa: PLC0415

    if data is None:
        raise ConfigError("--data: expected MOTIONS.npz, whose poses say which scores are usual, got none")
    model, config, steps = load_pose_vae_run(run)
    if model.num_labels:
        real_m, label = real_labelled_poses(data, per_class=_POSES_PER_CLASS, seed=0)
    else:
        real_m, label = usual_poses(data, count=_POSES, seed=0), None
    _say_differences(
        *write_pose_prior_bundle(model, config, steps, description, output, real_m=real_m, real_label=label)
    )


def _say_differences(folder: Path, differences: dict[str, float]) -> None:
    for tensor, difference in differences.items():
        typer.echo(f"{tensor:24s} largest difference from torch {difference:.2g}", err=True)
    typer.echo(str(folder))
