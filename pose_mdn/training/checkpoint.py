"""What a run leaves on disk, written so that a kill at any moment loses at most the steps since the last checkpoint."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pose_mdn.config import AnyRunConfig, TrainingConfig, read_config, to_toml
from pose_mdn.distributions.dirichlet import resolve_concentration
from pose_mdn.errors import CheckpointError
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import MixtureDensityNetwork

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """Files of a training run."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved settings, TOML."""
        return self.path / "config.toml"

    @property
    def checkpoint(self) -> Path:
        """Weights, optimiser state and step."""
        return self.path / "checkpoint.pt"

    @property
    def metrics(self) -> Path:
        """One JSON object per validation."""
        return self.path / "metrics.jsonl"


def build_graph(config: TrainingConfig) -> LiftingGraph:
    """A lifter with fresh weights, initialised from the run's seed."""
    torch.manual_seed(config.seed)
    concentration = resolve_concentration(config.loss.dirichlet_concentration, config.model.num_hypotheses)
    return LiftingGraph(MixtureDensityNetwork(config.model), concentration)


def save_checkpoint(folder: RunFolder, *, step: int, graph: nn.Module, optimizers: list[torch.optim.Optimizer]) -> None:
    """Write a checkpoint atomically."""
    saved = [optimizer.state_dict() for optimizer in optimizers]
    state = {"format": _FORMAT, "step": step, "graph": graph.state_dict(), "optimizers": saved}
    _write_atomically(folder.checkpoint, state)


def save_calibration(folder: RunFolder, graph: nn.Module) -> None:
    """Replace the weights in a checkpoint by calibrated ones; step and optimiser stay."""
    state = read_checkpoint(folder)
    state["graph"] = graph.state_dict()
    _write_atomically(folder.checkpoint, state)


def read_checkpoint(folder: RunFolder) -> dict[str, Any]:
    """The checkpoint's contents; only tensors and plain values are ever unpickled.

    Raises:
        CheckpointError: There is none, or it is of another format.
    """
    if not folder.checkpoint.is_file():
        raise CheckpointError(
            f"{folder.path}: expected a run with checkpoint.pt, found none; train one with `pose-mdn train`"
        )
    try:
        state: dict[str, Any] = torch.load(folder.checkpoint, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises a different kind for each way in which a file can be broken
        raise CheckpointError(f"{folder.checkpoint}: expected a checkpoint, could not read it: {error}") from None
    if state.get("format") != _FORMAT:
        raise CheckpointError(f"{folder.checkpoint}: expected checkpoint format {_FORMAT}, got {state.get('format')!r}")
    return state


def load_trained(path: Path) -> tuple[LiftingGraph, TrainingConfig, int]:
    """A run's lifter in evaluation mode, its settings and the step it has reached."""
    folder = RunFolder(path=path)
    state = read_checkpoint(folder)
    config = read_config(folder.config)
    if not isinstance(config, TrainingConfig):
        raise CheckpointError(f"{path}: expected the run of a mixture density lifter, got one of {config.kind!r}")
    graph = build_graph(config)
    graph.load_state_dict(state["graph"])
    return graph.eval(), config, int(state["step"])


def claim_folder(folder: RunFolder, config: AnyRunConfig) -> None:
    """Create a run's folder and save its settings, or check that the settings there are the same.

    Raises:
        CheckpointError: The folder holds a run with other settings.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    if folder.config.exists():
        if read_config(folder.config) != config:
            raise CheckpointError(
                f"{folder.path}: expected an empty folder or a run with the same settings, found one with other "
                "settings; choose another folder"
            )
        return
    folder.config.write_text(to_toml(config), encoding="utf-8")


def _write_atomically(path: Path, state: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)
