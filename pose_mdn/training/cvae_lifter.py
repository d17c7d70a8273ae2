"""Training a CVAE lifter on views of motion data, and fitting its ranking."""

import itertools
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pose_mdn.config import CVAELifterConfig, ViewConfig, read_config
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewBatch, ViewSampler
from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal, log_density
from pose_mdn.errors import CheckpointError
from pose_mdn.losses.elbo import active_units, negative_elbo
from pose_mdn.losses.hypothesis_errors import mean_joint_errors
from pose_mdn.models.cvae_lifter import CVAELifter, ranking_energy
from pose_mdn.models.lifting_graph import View, network_view, place_hypotheses
from pose_mdn.training.checkpoint import RunFolder, load_trained, read_checkpoint, save_calibration
from pose_mdn.training.loop import TrainingLoop
from pose_mdn.training.trainer import STATISTICS_STEP, STATISTICS_VIEWS, VALIDATION_SEED_OFFSET

_MM = 1000.0
_RANKING_VIEWS = 2048
_NOISE_SEED = 0
_PRIOR_POWERS = (0.0, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
_MISFIT_POWERS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)


class CVAELifterTrainer(TrainingLoop):
    """One run; arguments as of `TrainingLoop`, and the motion data file."""

    def __init__(self, config: CVAELifterConfig, data: Path, folder: Path) -> None:
        self.config = config
        self.model = build_cvae_lifter(config)
        super().__init__(config, self.model, self.model, folder)
        self.sampler = ViewSampler(read_motion_data(data, "train").pose_m, config.views, seed=config.seed)
        self.validation_batch = _validation_batch(config, data)
        self._start()

    def loss(self, batch: ViewBatch) -> Tensor:
        """Mean loss of a batch at the current step."""
        weights = self.config.loss
        view, features = self._see(batch)
        target = batch.pose_m @ view.rotation
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            posterior = self.model.encode(target, features)
            latent = posterior.sample(torch.randn_like(posterior.mean))
            candidates = [torch.zeros_like(latent), latent]
            if weights.best_of_k_weight > 0:
                candidates += torch.randn(weights.num_training_samples, *latent.shape).unbind()
            decoded = self.model.decode(torch.stack(candidates, dim=1), features)
        log_likelihood = log_likelihood_in_view(target, decoded[:, 1], self.model.std_m(features))
        errors = mean_joint_errors(decoded[:, :, 1:], target[:, 1:])
        loss = negative_elbo(log_likelihood, *posterior, beta=weights.beta_at(self.step / self.config.steps))
        loss = loss + weights.origin_weight * errors[:, 0]
        if weights.best_of_k_weight > 0:
            loss = loss + weights.best_of_k_weight * errors[:, 2:].amin(dim=1)
        return loss.mean()

    def _see(self, batch: ViewBatch) -> tuple[View, Tensor]:
        view = network_view(self.config.condition, batch.slopes, batch.confidence)
        with (
            torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16),
            torch.set_grad_enabled(self.config.train_condition),
        ):
            return view, self.model.views(view, batch.confidence)

    def _step_loss(self) -> Tensor:
        return self.loss(self.sampler.batch(self.step, self.config.batch_size))

    def _figures(self) -> dict[str, float]:
        return validation_figures(self.model, self.validation_batch)

    def _initialize(self) -> None:
        sample = self.sampler.batch(STATISTICS_STEP, STATISTICS_VIEWS)
        self.model.decoder.means.fit(sample.pose_m)
        if self.config.start_from is not None:
            self.model.views.take_from(load_trained(Path(self.config.start_from))[0].network)
            return
        view = network_view(self.config.condition, sample.slopes, sample.confidence)
        in_view = sample.pose_m @ view.rotation
        self.model.views.standardization.fit(view.points, sample.confidence, view.log_radius, in_view)


def log_likelihood_in_view(pose_m: Tensor, decoded_m: Tensor, std_m: Tensor) -> Tensor:
    """(B,) nats of (B, 17, 3) poses, with (B, 17, 2) standard deviations across and along the line of sight."""
    log_variance = 2.0 * std_m[:, 1:, [0, 0, 1]].log()
    return log_density(pose_m[:, 1:].flatten(1), decoded_m[:, 1:].flatten(1), log_variance.flatten(1))


def validation_figures(model: CVAELifter, batch: ViewBatch) -> dict[str, float]:
    """Errors of samples, best and first, and how much the latent variable tells."""
    view = network_view(model.config.condition, batch.slopes, batch.confidence)
    features = model.views(view, batch.confidence)
    target = batch.pose_m @ view.rotation
    posterior = model.encode(target, features)
    noise = torch.randn(len(target), model.config.num_samples, model.config.model.latent_dim)
    noise[:, 0] = 0.0
    noise[:, 1] = posterior.mean
    errors = (model.decode(noise, features) - target[:, None]).norm(dim=-1).mean(dim=-1) * _MM
    prior = errors[:, [0, *range(2, errors.shape[1])]]
    return {
        "origin_mm": round(float(errors[:, 0].mean()), 2),
        "best_of_k_mm": round(float(prior.amin(dim=1).mean()), 2),
        "sample_mm": round(float(prior[:, 1:].mean()), 2),
        "reconstruction_mm": round(float(errors[:, 1].mean()), 2),
        "kl": round(float(kl_from_standard_normal(*posterior).sum(-1).mean()), 3),
        "active_units": active_units(posterior.mean),
    }


@torch.no_grad()
def fit_ranking(model: CVAELifter, batch: ViewBatch) -> dict[str, float]:
    """Choose the ranking under which the sample that is nearest to the truth is the most probable one, as a rule.

    The weights are taken for probabilities of being the nearest of K samples, and their likelihood is maximised.

    Args:
        model: The lifter, in evaluation mode; its ranking is replaced.
        batch: Views of subjects that it was not trained on.

    Returns:
        Mean joint error of the sample ranked first, of the origin, and of the best, millimetres; the surprise at which
        is the nearest, nats, with the ranking and without; and the ranking.
    """
    view = network_view(model.config.condition, batch.slopes, batch.confidence)
    generator = torch.Generator().manual_seed(_NOISE_SEED)
    shape = (len(batch.slopes), model.config.num_samples, model.config.model.latent_dim)
    noise = torch.randn(shape, generator=generator)
    noise[:, 0] = 0.0
    decoded = model.decode(noise, model.views(view, batch.confidence))
    errors = mean_joint_errors(decoded, batch.pose_m @ view.rotation) * _MM
    # Any camera ranks alike, as only ratios of errors count: slopes are pixels of unit intrinsics.
    intrinsics = torch.eye(3).expand(len(noise), 3, 3)
    placed = place_hypotheses(decoded, view, batch.slopes, batch.confidence, intrinsics)
    misfit = placed.reprojection_error_px

    nearest = errors.argmin(dim=1)

    def surprise(ranking: Tensor) -> float:
        return float(cross_entropy(-ranking_energy(noise, misfit, ranking), nearest))

    choices = [torch.tensor(pair) for pair in itertools.product(_PRIOR_POWERS, _MISFIT_POWERS)]
    model.ranking.copy_(min(choices, key=surprise))
    top = ranking_energy(noise, misfit, model.ranking).argmin(dim=1, keepdim=True)
    return {
        "top_1_mm": round(float(errors.gather(1, top).mean()), 2),
        "origin_mm": round(float(errors[:, 0].mean()), 2),
        "best_of_k_mm": round(float(errors.amin(dim=1).mean()), 2),
        "nearest_nats": round(surprise(model.ranking), 3),
        "unranked_nats": round(surprise(torch.zeros(2)), 3),
        "prior_power": float(model.ranking[0]),
        "misfit_power": float(model.ranking[1]),
    }


def calibrate_cvae_run(path: Path, data: Path) -> dict[str, float]:
    """Fit the ranking of a run's lifter on validation subjects and keep it in the checkpoint."""
    model, config, _ = load_cvae_run(path)
    views = _people_only(config.views)
    motion = read_motion_data(data, "validation")
    batch = ViewSampler(motion.pose_m, views, seed=config.seed + 2 * VALIDATION_SEED_OFFSET).batch(0, _RANKING_VIEWS)
    figures = fit_ranking(model, batch)
    save_calibration(RunFolder(path=path), model)
    return figures


def build_cvae_lifter(config: CVAELifterConfig) -> CVAELifter:
    """A lifter with fresh weights, initialised from the run's seed."""
    torch.manual_seed(config.seed)
    return CVAELifter(config)


def load_cvae_run(path: Path) -> tuple[CVAELifter, CVAELifterConfig, int]:
    """A run's lifter in evaluation mode, its settings and the step it has reached.

    Raises:
        CheckpointError: The folder holds no such run.
    """
    folder = RunFolder(path=path)
    state = read_checkpoint(folder)
    config = read_config(folder.config)
    if not isinstance(config, CVAELifterConfig):
        raise CheckpointError(f"{path}: expected the run of a CVAE lifter, got one of {config.kind!r}")
    model = build_cvae_lifter(config)
    model.load_state_dict(state["graph"])
    return model.eval(), config, int(state["step"])


def _validation_batch(config: CVAELifterConfig, data: Path) -> ViewBatch:
    motion = read_motion_data(data, "validation")
    sampler = ViewSampler(motion.pose_m, _people_only(config.views), seed=config.seed + VALIDATION_SEED_OFFSET)
    return sampler.batch(0, config.validation_views)


def _people_only(views: ViewConfig) -> ViewConfig:
    return replace(views, detector=replace(views.detector, false_detection_probability=0.0))
