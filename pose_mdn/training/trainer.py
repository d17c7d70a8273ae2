"""Training a mixture density lifter on views of motion data."""

from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from pose_mdn.config import TrainingConfig
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewBatch, ViewSampler
from pose_mdn.losses.hypothesis_errors import best_of_m_error, mean_joint_errors, top_1_error
from pose_mdn.losses.mixture_nll import dirichlet_penalty, mixture_nll
from pose_mdn.models.mdn import KinematicMeans
from pose_mdn.training.checkpoint import RunFolder, build_graph, read_checkpoint
from pose_mdn.training.loop import TrainingLoop
from pose_mdn.training.optimization import temperature_schedule
from pose_mdn.training.validation import validate

STATISTICS_VIEWS = 65_536
"""Views on which inputs are standardised and the mean body is measured."""
STATISTICS_STEP = 2**32 - 1
"""Step of their batch, which no run reaches."""
VALIDATION_SEED_OFFSET = 1_000_003
"""Between the seeds of training and validation batches."""


class Trainer(TrainingLoop):
    """One run: deterministic from its config, resumable from its folder.

    Args:
        config: All settings of the run.
        data: Motion data file.
        folder: Where settings, checkpoints and figures go; a folder with a checkpoint of the same settings is
            continued.
    """

    def __init__(self, config: TrainingConfig, data: Path, folder: Path) -> None:
        self.config = config
        self.graph = build_graph(config)
        super().__init__(config, self.graph, self.graph.network, folder)
        train = read_motion_data(data, "train")
        validation = read_motion_data(data, "validation")
        self.sampler = ViewSampler(train.pose_m, config.views, seed=config.seed)
        held_out = ViewSampler(validation.pose_m, config.views, seed=config.seed + VALIDATION_SEED_OFFSET)
        self.validation_batch = held_out.batch(0, config.validation_views)
        self.temperature = temperature_schedule(config)
        self._start()

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

    def _step_loss(self) -> torch.Tensor:
        return self.loss(self.sampler.batch(self.step, self.config.batch_size))

    def _figures(self) -> dict[str, float]:
        return validate(self.graph, self.validation_batch)

    def _initialize(self) -> None:
        if self.config.start_from is not None:
            self.graph.load_state_dict(read_checkpoint(RunFolder(path=Path(self.config.start_from)))["graph"])
            self.graph.calibration.reset()
            return
        sample = self.sampler.batch(STATISTICS_STEP, STATISTICS_VIEWS)
        view = self.graph.view(sample.slopes, sample.confidence)
        in_view = sample.pose_m @ view.rotation
        self.graph.network.standardization.fit(view.points, sample.confidence, view.log_radius, in_view)
        if isinstance(self.graph.network.means, KinematicMeans):
            self.graph.network.means.fit(sample.pose_m)
