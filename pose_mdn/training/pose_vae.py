"""Training a pose VAE, with or without labels, on poses of motion data."""

from pathlib import Path

import numpy as np
import torch

from pose_mdn.config import BodyConfig, PoseVAEConfig, read_config
from pose_mdn.data.actions import ACTION_CLASSES, action_classes, held_out_motions
from pose_mdn.data.mocap import MotionData, read_motion_data
from pose_mdn.data.poses import PoseBatch, PoseSampler
from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal
from pose_mdn.errors import CheckpointError
from pose_mdn.losses.elbo import active_units, negative_elbo
from pose_mdn.models.pose_vae import PoseVAE
from pose_mdn.training.checkpoint import RunFolder, read_checkpoint
from pose_mdn.training.loop import TrainingLoop
from pose_mdn.training.trainer import STATISTICS_STEP, STATISTICS_VIEWS, VALIDATION_SEED_OFFSET

_MM = 1000.0


class PoseVAETrainer(TrainingLoop):
    """One run; arguments as of `TrainingLoop`, and the motion data file."""

    def __init__(self, config: PoseVAEConfig, data: Path, folder: Path) -> None:
        self.config = config
        self.model = build_pose_vae(config)
        super().__init__(config, self.model, self.model, folder)
        conditional = self.model.num_labels > 0
        train = read_motion_data(data, "train")
        watched = train if conditional else read_motion_data(data, "validation")
        measured = BodyConfig.as_measured(distinct_share=config.body.distinct_share)
        self.sampler = _sampler(train, config.body, config.seed, conditional=conditional, held_out=False)
        watch_seed = config.seed + VALIDATION_SEED_OFFSET
        held_out = _sampler(watched, measured, watch_seed, conditional=conditional, held_out=True)
        self.validation_batch = held_out.batch(0, config.validation_poses)
        self._start()

    def loss(self, batch: PoseBatch) -> torch.Tensor:
        """Mean loss of a batch at the current step."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            posterior = self.model.encode(batch.pose_m, batch.label)
            latent = posterior.sample(torch.randn_like(posterior.mean))
            decoded = self.model.decode(latent, batch.label)
        log_likelihood = self.model.log_likelihood(batch.pose_m, decoded)
        beta = self.config.loss.beta_at(self.step / self.config.steps)
        return negative_elbo(log_likelihood, *posterior, beta=beta).mean()

    def _step_loss(self) -> torch.Tensor:
        return self.loss(self.sampler.batch(self.step, self.config.batch_size))

    def _figures(self) -> dict[str, float]:
        batch = self.validation_batch
        posterior = self.model.encode(batch.pose_m, batch.label)
        decoded = self.model.decode(posterior.mean, batch.label)
        kl = kl_from_standard_normal(*posterior).sum(-1)
        sampled = self.model.decode(posterior.sample(torch.randn_like(posterior.mean)), batch.label)
        return {
            "reconstruction_mm": round(float((decoded - batch.pose_m).norm(dim=-1).mean()) * _MM, 2),
            "elbo": round(float((self.model.log_likelihood(batch.pose_m, sampled) - kl).mean()), 3),
            "kl": round(float(kl.mean()), 3),
            "active_units": active_units(posterior.mean),
            "joint_std_mm": round(float(self.model.joint_std_m.mean()) * _MM, 2),
        }

    def _initialize(self) -> None:
        if self.config.start_from is not None:
            self.model.load_state_dict(read_checkpoint(RunFolder(path=Path(self.config.start_from)))["graph"])
            return
        self.model.decoder.means.fit(self.sampler.batch(STATISTICS_STEP, STATISTICS_VIEWS).pose_m)


def build_pose_vae(config: PoseVAEConfig) -> PoseVAE:
    """A model with fresh weights, initialised from the run's seed."""
    torch.manual_seed(config.seed)
    return PoseVAE(config.model, len(ACTION_CLASSES) if config.kind == "pose_cvae" else 0)


def load_pose_vae_run(path: Path) -> tuple[PoseVAE, PoseVAEConfig, int]:
    """A run's model in evaluation mode, its settings and the step it has reached.

    Raises:
        CheckpointError: The folder holds no such run.
    """
    folder = RunFolder(path=path)
    state = read_checkpoint(folder)
    config = read_config(folder.config)
    if not isinstance(config, PoseVAEConfig):
        raise CheckpointError(f"{path}: expected the run of a pose VAE, got one of {config.kind!r}")
    model = build_pose_vae(config)
    model.load_state_dict(state["graph"])
    return model.eval(), config, int(state["step"])


def _sampler(motion: MotionData, body: BodyConfig, seed: int, *, conditional: bool, held_out: bool) -> PoseSampler:
    """Poses of motions; if they are labelled, of the recordings that are held out of training, or of the others."""
    if not conditional:
        return PoseSampler(motion, body, seed=seed)
    classes = action_classes(motion.action, motion.pose_m)
    wanted = held_out_motions(classes, motion.motion) == held_out
    chosen = np.where(wanted, classes, -1)
    return PoseSampler(motion, body, seed=seed, action_class=chosen, num_classes=len(ACTION_CLASSES))
