"""`pose-mdn train`."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    data: Annotated[Path, typer.Option(help="Motion data .npz: Human3.6M-17 joints, metres, Y up, with splits.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Run folder; a run of the same settings is continued.")
    ],
    preset: Annotated[str, typer.Option(help="Settings to start from: default or li_lee_2019.")] = "default",
    config: Annotated[Path | None, typer.Option(help="TOML file of settings, instead of a preset.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps, instead of the preset's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the preset's.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for torch; all cores if absent.")] = None,
) -> None:
    """Train a lifter on motion data filmed by virtual cameras.

    The run folder receives config.toml (every setting, resolved), metrics.jsonl and checkpoint.pt. Stop it at any
    time; the same command continues it to the same weights as an undisturbed run. At the end it is calibrated on the
    validation subjects. Then: `pose-mdn export RUN -o FOLDER`.

    Example: pose-mdn train --preset default --data motions.npz -o runs/first
    """
    from rich.console import Console  # noqa: PLC0415  (heavy imports wait until the command runs)

    from pose_mdn.cli.training_progress import TrainingProgress  # noqa: PLC0415
    from pose_mdn.distributions.dirichlet import explain_concentration  # noqa: PLC0415
    from pose_mdn.training.calibration import calibrate_run  # noqa: PLC0415
    from pose_mdn.training.settings import resolve_settings  # noqa: PLC0415
    from pose_mdn.training.trainer import Trainer, use_threads  # noqa: PLC0415

    settings = resolve_settings(preset, config, steps=steps, seed=seed)
    use_threads(threads)
    trainer = Trainer(settings, data, output)
    console = Console(stderr=True)
    concentration = trainer.graph.concentration
    meaning = explain_concentration(concentration)
    console.print(f"Dirichlet concentration {concentration}: {meaning}", highlight=False, soft_wrap=True)
    with TrainingProgress(settings, start=trainer.step) as progress:
        figures = trainer.run(progress.update)
    console.print("calibrating on validation subjects")
    figures |= calibrate_run(output, data)
    reached = f"{output}: step {trainer.step} of {settings.steps}, validation {json.dumps(figures)}"
    console.print(reached, highlight=False, soft_wrap=True)
