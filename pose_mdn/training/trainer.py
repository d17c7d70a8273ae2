"""The training loop."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from pose_mdn.config import TrainingConfig
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewBatch, ViewSampler
from pose_mdn.errors import TrainingDivergedError
from pose_mdn.losses.hypothesis_errors import best_of_m_error, mean_joint_errors, top_1_error
from pose_mdn.losses.mixture_nll import dirichlet_penalty, mixture_nll
from pose_mdn.models.mdn import KinematicMeans
from pose_mdn.training.checkpoint import RunFolder, build_graph, claim_folder, read_checkpoint, save_checkpoint
from pose_mdn.training.optimization import (
    build_optimizers,
    learning_rate_schedule,
    temperature_schedule,
    uses_bfloat16,
)
from pose_mdn.training.validation import validate

_STATISTICS_VIEWS = 65_536
_STATISTICS_STEP = 2**32 - 1
_VALIDATION_SEED_OFFSET = 1_000_003
_REPORT_EVERY = 50

Progress = Callable[[int, dict[str, float]], None]
"""Called with the step and the newest figures, a few times per second at most."""


class Trainer:
    """One run: deterministic from its config, resumable from its folder.

    Args:
        config: All settings of the run.
        data: Motion data file.
        folder: Where settings, checkpoints and figures go; a folder with a checkpoint of the same settings is
            continued.
    """

    def __init__(self, config: TrainingConfig, data: Path, folder: Path) -> None:
        self.config = config
        self.folder = RunFolder(path=folder)
        claim_folder(self.folder, config)
        train = read_motion_data(data, "train")
        validation = read_motion_data(data, "validation")
        self.sampler = ViewSampler(train.pose_m, config.views, seed=config.seed)
        held_out = ViewSampler(validation.pose_m, config.views, seed=config.seed + _VALIDATION_SEED_OFFSET)
        self.validation_batch = held_out.batch(0, config.validation_views)
        self.graph = build_graph(config)
        self.optimizers = build_optimizers(self.graph.network, config)
        self.learning_rate = learning_rate_schedule(config)
        self.temperature = temperature_schedule(config)
        self.bfloat16 = uses_bfloat16(config)
        self.step = 0
        self._start()

    def run(self, progress: Progress | None = None) -> dict[str, float]:
        """Train to the last step and return the final validation figures."""
        figures: dict[str, float] = {}
        self.graph.train()
        while self.step < self.config.steps:
            loss = self._take_step()
            if progress and self.step % _REPORT_EVERY == 0:
                progress(self.step, {"loss": self._checked(loss), **figures})
            if self.step % self.config.checkpoint_every == 0 or self.step == self.config.steps:
                figures = self._checkpoint(self._checked(loss))
        return figures or self._validate()

    def loss(self, batch: ViewBatch) -> torch.Tensor:
        """Mean loss of a batch at the current step."""
        view = self.graph.view(batch.slopes, batch.confidence)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            prediction = self.graph.network(view.points, batch.confidence, view.log_radius)
        target = (batch.pose_m @ view.rotation)[:, 1:]
        log_mixing = prediction.log_mixing_coefficients
        loss = mixture_nll(prediction.distribution(), target.flatten(1), temperature=self.temperature(self.step))
        loss = loss + dirichlet_penalty(log_mixing, self.graph.concentration)
        weights = self.config.loss
        if weights.top_1_weight > 0 or weights.best_of_m_weight > 0:
            errors = mean_joint_errors(prediction.means_m[:, :, 1:], target)
            loss = loss + weights.top_1_weight * top_1_error(log_mixing, errors)
            loss = loss + weights.best_of_m_weight * best_of_m_error(errors)
        if prediction.ood_logit is not None:
            unusual = (~batch.is_usual).float()
            told = binary_cross_entropy_with_logits(prediction.ood_logit, unusual, reduction="none")
            loss = loss + weights.ood_weight * told
        return loss.mean()

    def _start(self) -> None:
        if self.folder.checkpoint.exists():
            state = read_checkpoint(self.folder)
            self.graph.load_state_dict(state["graph"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            self.step = int(state["step"])
            return
        if self.config.start_from is not None:
            self.graph.load_state_dict(read_checkpoint(RunFolder(path=Path(self.config.start_from)))["graph"])
            self.graph.calibration.reset()
            return
        sample = self.sampler.batch(_STATISTICS_STEP, _STATISTICS_VIEWS)
        view = self.graph.view(sample.slopes, sample.confidence)
        in_view = sample.pose_m @ view.rotation
        self.graph.network.standardization.fit(view.points, sample.confidence, view.log_radius, in_view)
        if isinstance(self.graph.network.means, KinematicMeans):
            self.graph.network.means.fit(sample.pose_m)

    def _take_step(self) -> torch.Tensor:
        # Dropout draws from torch's global generator; seeding it by step makes a resumed run continue exactly.
        torch.manual_seed(self.config.seed * 1_000_003 + self.step)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate(self.step)
        loss = self.loss(self.sampler.batch(self.step, self.config.batch_size))
        loss.backward()
        if self.config.optimizer.max_gradient_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.graph.network.parameters(), self.config.optimizer.max_gradient_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return loss.detach()

    def _checked(self, loss: torch.Tensor) -> float:
        value = float(loss)
        if not math.isfinite(value):
            raise TrainingDivergedError(
                f"step {self.step}: expected a finite loss, got {value}; lower optimizer.learning_rate or raise "
                f"model.min_std_m, then continue from the last checkpoint in {self.folder.path}"
            )
        return value

    def _validate(self) -> dict[str, float]:
        self.graph.eval()
        figures = validate(self.graph, self.validation_batch)
        self.graph.train()
        return figures

    def _checkpoint(self, loss: float) -> dict[str, float]:
        figures = self._validate()
        record = {"step": self.step, "time": round(time.time(), 1), "train_loss": loss, **figures}
        with self.folder.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        save_checkpoint(self.folder, step=self.step, graph=self.graph, optimizers=self.optimizers)
        return figures


def use_threads(threads: int | None) -> None:
    """Limit torch to a number of threads; None leaves all cores to it."""
    if threads is not None:
        torch.set_num_threads(threads)
