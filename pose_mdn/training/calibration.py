"""Post-hoc calibration on validation subjects: factors on standard deviations, a temperature on weights.

The factors, one per joint and axis, make stated intervals hold: they bring the probability integral transform of the
marginals as near to uniform as a factor can (Cramér-von Mises distance). The temperature minimises the negative
log-likelihood. Both end up as buffers in the exported graph. Neither is fitted on training or test subjects.
"""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from pose_mdn.config import BodyConfig, TrainingConfig
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewBatch, ViewSampler
from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.losses.marginals import mixture_crps, pit_distance
from pose_mdn.losses.mixture_nll import mixture_nll
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import PredictedMixture
from pose_mdn.training.checkpoint import RunFolder, load_trained, save_calibration

_SEED_OFFSET = 2_000_003
_VIEWS = 16_384
_STEPS = 150
_LEARNING_RATE = 0.03
_PIT_WEIGHT = 1000.0


def calibration_views(config: TrainingConfig, data: Path, size: int) -> ViewBatch:
    """Views of the validation subjects, with the cameras and detectors of training.

    Half of the bodies are as they were measured and half are varied as in training: people who will be lifted do more
    than the few validation subjects did, and less than augmentation does.
    """
    plain = BodyConfig(
        upper_body_exchange_probability=0.0,
        limb_exchange_probability=0.0,
        direction_jitter_rad=0.0,
        bone_length_log_std=0.0,
        body_scale=(1.0, 1.0),
        tumble_probability=0.0,
    )
    motion = read_motion_data(data, "validation")
    seed = config.seed + _SEED_OFFSET
    measured, varied = (
        ViewSampler(motion.pose_m, views, seed=seed).batch(0, size // 2)
        for views in (dataclasses.replace(config.views, body=plain), config.views)
    )
    return ViewBatch(
        slopes=torch.cat([measured.slopes, varied.slopes]),
        confidence=torch.cat([measured.confidence, varied.confidence]),
        pose_m=torch.cat([measured.pose_m, varied.pose_m]),
        is_usual=torch.cat([measured.is_usual, varied.is_usual]),
    )


def calibrate(graph: LiftingGraph, batch: ViewBatch) -> dict[str, float]:
    """Fit a lifter's calibration buffers in place.

    Args:
        graph: The lifter, in evaluation mode.
        batch: Views of subjects that it was not trained on.

    Returns:
        Distance of the probability integral transform from uniform, CRPS (mm) and NLL (nats per coordinate), before and
        after.
    """
    with torch.no_grad():
        view = graph.view(batch.slopes, batch.confidence)
        prediction = graph.network(view.points, batch.confidence, view.log_radius)
        target = (batch.pose_m @ view.rotation)[:, 1:].flatten(1)
    calibration = graph.calibration
    calibration.reset()
    before = _scores(_calibrated(graph, prediction), target)
    log_scale = torch.zeros_like(calibration.std_scale[1:], requires_grad=True)
    log_temperature = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([log_scale, log_temperature], lr=_LEARNING_RATE)
    for _ in range(_STEPS):
        log_mixing = graph.temper(prediction.log_mixing_coefficients.exp(), log_temperature.exp()).log()
        scaled = dataclasses.replace(prediction, std_m=_scale(prediction.std_m, log_scale))
        marginals = dataclasses.replace(scaled.distribution(), log_mixing_coefficients=log_mixing.detach())
        fixed = dataclasses.replace(scaled, std_m=scaled.std_m.detach()).distribution()
        nll = mixture_nll(dataclasses.replace(fixed, log_mixing_coefficients=log_mixing), target)
        optimizer.zero_grad()
        (_PIT_WEIGHT * pit_distance(marginals, target).sum() + nll.mean()).backward()
        optimizer.step()
    calibration.std_scale[1:] = log_scale.detach().exp()
    calibration.mixing_temperature.copy_(log_temperature.detach().exp())
    after = _scores(_calibrated(graph, prediction), target)
    return {
        **{f"{key}_before": value for key, value in before.items()},
        **{f"{key}_after": v for key, v in after.items()},
    }


def calibrate_run(run: Path, data: Path) -> dict[str, float]:
    """Calibrate a finished run's weights in its checkpoint and return the scores before and after."""
    graph, config, _ = load_trained(run)
    scores = calibrate(graph, calibration_views(config, data, _VIEWS))
    save_calibration(RunFolder(path=run), graph)
    return scores


def _calibrated(graph: LiftingGraph, prediction: PredictedMixture) -> GaussianMixture:
    scaled = dataclasses.replace(prediction, std_m=prediction.std_m * graph.calibration.std_scale)
    log_mixing = graph.probabilities(prediction.log_mixing_coefficients).log()
    return dataclasses.replace(scaled.distribution(), log_mixing_coefficients=log_mixing)


def _scale(std_m: Tensor, log_scale: Tensor) -> Tensor:
    return torch.cat([std_m[..., :1, :], std_m[..., 1:, :] * log_scale.exp()], dim=-2)


@torch.no_grad()
def _scores(mixture: GaussianMixture, target: Tensor) -> dict[str, float]:
    crps = 1000.0 * mixture_crps(mixture, target).mean()
    nll = mixture_nll(mixture, target).mean() / target.shape[1]
    distance = pit_distance(mixture, target).mean().sqrt()
    return {"pit_distance": round(float(distance), 4), "crps_mm": round(float(crps), 3), "nll": round(float(nll), 4)}
