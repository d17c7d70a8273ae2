"""The training loop, whatever is trained: deterministic from its settings, resumable from its folder."""

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from pose_mdn.config import AnyRunConfig
from pose_mdn.errors import TrainingDivergedError
from pose_mdn.training.checkpoint import RunFolder, claim_folder, read_checkpoint, save_checkpoint
from pose_mdn.training.optimization import build_optimizers, learning_rate_schedule, uses_bfloat16

_REPORT_EVERY = 50

Progress = Callable[[int, dict[str, float]], None]
"""Called with the step and the newest figures, a few times per second at most."""


class TrainingLoop(ABC):
    """One run.

    Args:
        config: All settings of the run.
        graph: What is saved in checkpoints, initialised from the run's seed.
        trained: The part of it whose weights move.
        folder: Where settings, checkpoints and figures go; a folder with a checkpoint of the same settings is
            continued.
    """

    def __init__(self, config: AnyRunConfig, graph: nn.Module, trained: nn.Module, folder: Path) -> None:
        self.folder = RunFolder(path=folder)
        claim_folder(self.folder, config)
        self._run = config
        self._graph = graph
        self._trained = trained
        self.optimizers = build_optimizers(trained, config)
        self.learning_rate = learning_rate_schedule(config)
        self.bfloat16 = uses_bfloat16(config)
        self.step = 0

    def run(self, progress: Progress | None = None) -> dict[str, float]:
        """Train to the last step and return the final validation figures."""
        figures: dict[str, float] = {}
        self._graph.train()
        while self.step < self._run.steps:
            loss = self._take_step()
            if progress and self.step % _REPORT_EVERY == 0:
                progress(self.step, {"loss": self._checked(loss), **figures})
            if self.step % self._run.checkpoint_every == 0 or self.step == self._run.steps:
                figures = self._checkpoint(self._checked(loss))
        return figures or self._validate()

    @abstractmethod
    def _step_loss(self) -> Tensor:
        """Mean loss of the batch of the current step."""

    @abstractmethod
    def _figures(self) -> dict[str, float]:
        """Validation figures of the graph, which is in evaluation mode."""

    @abstractmethod
    def _initialize(self) -> None:
        """Set up fresh weights: statistics of the data, or another run's weights."""

    def _start(self) -> None:
        """Continue from the folder's checkpoint, or begin; called once by subclasses when they are set up."""
        if not self.folder.checkpoint.exists():
            self._initialize()
            return
        state = read_checkpoint(self.folder)
        self._graph.load_state_dict(state["graph"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step = int(state["step"])

    def _take_step(self) -> Tensor:
        # Noise is drawn from torch's global generator; seeding it by step makes a resumed run continue exactly.
        torch.manual_seed(self._run.seed * 1_000_003 + self.step)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate(self.step)
        loss = self._step_loss()
        loss.backward()
        if self._run.optimizer.max_gradient_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._trained.parameters(), self._run.optimizer.max_gradient_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return loss.detach()

    def _checked(self, loss: Tensor) -> float:
        value = float(loss)
        if not math.isfinite(value):
            raise TrainingDivergedError(
                f"step {self.step}: expected a finite loss, got {value}; lower optimizer.learning_rate or raise "
                f"model.min_std_m, then continue from the last checkpoint in {self.folder.path}"
            )
        return value

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        self._graph.eval()
        figures = self._figures()
        self._graph.train()
        return figures

    def _checkpoint(self, loss: float) -> dict[str, float]:
        figures = self._validate()
        record = {"step": self.step, "time": round(time.time(), 1), "train_loss": loss, **figures}
        with self.folder.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        save_checkpoint(self.folder, step=self.step, graph=self._graph, optimizers=self.optimizers)
        return figures


def use_threads(threads: int | None) -> None:
    """Limit torch to a number of threads; None leaves all cores to it."""
    if threads is not None:
        torch.set_num_threads(threads)
