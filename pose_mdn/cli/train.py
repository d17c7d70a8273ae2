"""`pose-mdn train`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pose_mdn.config import AnyRunConfig
    from pose_mdn.training.loop import TrainingLoop


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    data: Annotated[Path, typer.Option(help="Motion data .npz: Human3.6M-17 joints, metres, Y up, with splits.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Run folder; a run of the same settings is continued.")
    ],
    preset: Annotated[
        str, typer.Option(help="Settings to start from: default, li_lee_2019, pose_vae, pose_cvae or cvae_lifter.")
    ] = "default",
    config: Annotated[Path | None, typer.Option(help="TOML file of settings, instead of a preset.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps, instead of the preset's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the preset's.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for torch; all cores if absent.")] = None,
) -> None:
    """Train a lifter on motion data filmed by virtual cameras, or a generative model on the motions themselves.

    The run folder receives config.toml (every setting, resolved), metrics.jsonl and checkpoint.pt. Stop it at any
    time; the same command continues it to the same weights as an undisturbed run. At the end it is calibrated on the
    validation subjects. Then: `pose-mdn export RUN -o FOLDER`.

    Example: pose-mdn train --preset default --data motions.npz -o runs/first
    """
    from pose_mdn.training.loop import use_threads  # noqa: PLC0415  (heavy imports wait until the command runs)
    from pose_mdn.training.settings import resolve_settings  # noqa: PLC0415

    settings = resolve_settings(preset, config, steps=steps, seed=seed)
    use_threads(threads)
    _TRAIN[settings.kind](settings, data, output)


def _train_lifter(settings: "AnyRunConfig", data: Path, output: Path) -> None:
    from pose_mdn.config import TrainingConfig  # noqa: PLC0415
    from pose_mdn.distributions.dirichlet import explain_concentration  # noqa: PLC0415
    from pose_mdn.training.calibration import calibrate_run  # noqa: PLC0415
    from pose_mdn.training.trainer import Trainer  # noqa: PLC0415

    assert isinstance(settings, TrainingConfig)
    trainer = Trainer(settings, data, output)
    concentration = trainer.graph.concentration
    _say(f"Dirichlet concentration {concentration}: {explain_concentration(concentration)}")
    figures = _run(trainer, settings)
    _say("calibrating on validation subjects")
    figures |= calibrate_run(output, data)
    _say(f"{output}: step {trainer.step} of {settings.steps}, validation {json.dumps(figures)}")


def _train_pose_vae(settings: "AnyRunConfig", data: Path, output: Path) -> None:
    from pose_mdn.config import PoseVAEConfig  # noqa: PLC0415
    from pose_mdn.training.pose_vae import PoseVAETrainer  # noqa: PLC0415

    assert isinstance(settings, PoseVAEConfig)
    figures = _run(PoseVAETrainer(settings, data, output), settings)
    _say(f"{output}: step {settings.steps} of {settings.steps}, validation {json.dumps(figures)}")


def _train_cvae_lifter(settings: "AnyRunConfig", data: Path, output: Path) -> None:
    from pose_mdn.config import CVAELifterConfig  # noqa: PLC0415
    from pose_mdn.training.cvae_lifter import CVAELifterTrainer, calibrate_cvae_run  # noqa: PLC0415

    assert isinstance(settings, CVAELifterConfig)
    figures = _run(CVAELifterTrainer(settings, data, output), settings)
    _say("calibrating the ranking on validation subjects")
    figures |= calibrate_cvae_run(output, data)
    _say(f"{output}: step {settings.steps} of {settings.steps}, validation {json.dumps(figures)}")


_TRAIN: dict[str, Callable[["AnyRunConfig", Path, Path], None]] = {
    "lifter": _train_lifter,
    "pose_vae": _train_pose_vae,
    "pose_cvae": _train_pose_vae,
    "cvae_lifter": _train_cvae_lifter,
}


def _run(trainer: "TrainingLoop", settings: "AnyRunConfig") -> dict[str, float]:
    from pose_mdn.cli.training_progress import TrainingProgress  # noqa: PLC0415

    with TrainingProgress(settings, start=trainer.step) as progress:
        return trainer.run(progress.update)


def _say(text: str) -> None:
    from rich.console import Console  # noqa: PLC0415

    Console(stderr=True).print(text, highlight=False, soft_wrap=True)
