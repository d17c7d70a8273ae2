"""Post-hoc calibration on validation subjects: a temperature on coefficients, then factors on standard deviations.

The temperature minimises the negative log-likelihood. The factors, one per joint and axis, apart for seen and missing
joints, and the powers of the misfit make stated intervals hold: they bring the probability integral transform of the
marginals near to uniform (Cramér-von Mises distance), beside the likelihood, in three circumstances alike: perfect
keypoints, a typical detector's, and such with joints missing. The temperature is left alone then: it would level
coefficients only because intervals have become narrower than errors with heavy tails make likely. All end up as buffers
in the exported graph. None is fitted on training or test subjects.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pose_mdn.config import BodyConfig, DetectorConfig, TrainingConfig
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.views import ViewBatch, ViewSampler
from pose_mdn.distributions.mixture import GaussianMixture
from pose_mdn.losses.marginals import pit_distance
from pose_mdn.losses.mixture_nll import mixture_nll
from pose_mdn.metrics.proper_scores import mixture_crps
from pose_mdn.models.calibration import correct_std, relative_misfit
from pose_mdn.models.lifting_graph import LiftingGraph
from pose_mdn.models.mdn import PredictedMixture
from pose_mdn.training.checkpoint import RunFolder, load_trained, save_calibration

_SEED_OFFSET = 2_000_003
_VIEWS = 6_000
_STEPS = 80
_LEARNING_RATE = 0.05
_PIT_WEIGHT = 600.0
_TYPICAL_NOISE = (0.01, 0.025)


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What was predicted in one circumstance, and the truth: (B, 48) coordinates in the view's frame."""

    prediction: PredictedMixture
    confidence: Tensor
    misfit: Tensor
    target: Tensor


def calibration_views(config: TrainingConfig, data: Path, size: int) -> list[ViewBatch]:
    """Views of the validation subjects in each circumstance, with the cameras of training.

    Keypoints are perfect only where bodies were measured; before a detector, half of the bodies are as they were
    measured and half are varied as in training: people who will be lifted do more than the few validation subjects did,
    and less than augmentation does.

    Args:
        config: Settings of the run.
        data: Motion data file.
        size: Views per circumstance.
    """
    motion = read_motion_data(data, "validation")
    seed = config.seed + _SEED_OFFSET

    def film(detector: DetectorConfig, *bodies: BodyConfig) -> ViewBatch:
        filmed = [dataclasses.replace(config.views, body=body, detector=detector) for body in bodies]
        parts = [ViewSampler(motion.pose_m, views, seed=seed).batch(0, size // len(bodies)) for views in filmed]
        return ViewBatch.concatenate(parts)

    measured, varied = BodyConfig.as_measured(distinct_share=config.views.body.distinct_share), config.views.body
    perfect, typical, gappy = _circumstances(config.views.detector)
    return [film(perfect, measured), film(typical, measured, varied), film(gappy, measured, varied)]


def _circumstances(detector: DetectorConfig) -> list[DetectorConfig]:
    people = dataclasses.replace(detector, false_detection_probability=0.0, missing_probability=0.0)
    typical = dataclasses.replace(people, clean_probability=0.0, noise=_TYPICAL_NOISE)
    perfect = dataclasses.replace(people, clean_probability=1.0)
    return [perfect, typical, dataclasses.replace(typical, missing_probability=1.0)]


def calibrate(graph: LiftingGraph, batches: Sequence[ViewBatch]) -> dict[str, float]:
    """Fit a lifter's calibration buffers in place.

    Args:
        graph: The lifter, in evaluation mode.
        batches: Views of subjects that it was not trained on, one batch per circumstance.

    Returns:
        Distance of the probability integral transform from uniform, CRPS (mm) and NLL (nats per coordinate), before and
        after, averaged over the circumstances.
    """
    cases = [_predict(graph, batch) for batch in batches]
    calibration = graph.calibration
    calibration.reset()
    before = _scores(graph, cases)
    _fit_temperature(graph, cases)
    _fit_std(graph, cases)
    after = _scores(graph, cases)
    return {
        **{f"{key}_before": value for key, value in before.items()},
        **{f"{key}_after": v for key, v in after.items()},
    }


def _fit_temperature(graph: LiftingGraph, cases: Sequence[_Case]) -> None:
    """Temperature of the coefficients by likelihood, with whatever factors on standard deviations suit it best."""
    log_scale = torch.zeros_like(graph.calibration.std_scale, requires_grad=True)
    log_temperature = torch.zeros((), requires_grad=True)
    exponent = torch.zeros_like(graph.calibration.misfit_exponent)
    for _ in _descend([log_scale, log_temperature]):
        for case in cases:
            std_m = _corrected_std(case, log_scale, exponent)
            log_mixing = graph.temper(case.prediction.log_mixing_coefficients.exp(), log_temperature.exp()).log()
            mixture_nll(_mixture(case, std_m, log_mixing), case.target).mean().backward()
    graph.calibration.mixing_temperature.copy_(log_temperature.detach().exp())


def _fit_std(graph: LiftingGraph, cases: Sequence[_Case]) -> None:
    """Factors and powers of the misfit by probability integral transform and likelihood."""
    log_scale = torch.zeros_like(graph.calibration.std_scale, requires_grad=True)
    exponent = torch.zeros_like(graph.calibration.misfit_exponent, requires_grad=True)
    for _ in _descend([log_scale, exponent]):
        for case in cases:
            std_m = _corrected_std(case, log_scale, exponent)
            log_mixing = graph.probabilities(case.prediction.log_mixing_coefficients).log()
            mixture = _mixture(case, std_m, log_mixing)
            distance = pit_distance(mixture, case.target).sum()
            (_PIT_WEIGHT * distance + mixture_nll(mixture, case.target).mean()).backward()
    graph.calibration.std_scale.copy_(log_scale.detach().exp())
    graph.calibration.misfit_exponent.copy_(exponent.detach())


def _corrected_std(case: _Case, log_scale: Tensor, exponent: Tensor) -> Tensor:
    prediction = case.prediction
    return correct_std(prediction.std_m, case.confidence, case.misfit, scale=log_scale.exp(), exponent=exponent)


def _descend(parameters: list[Tensor]) -> Iterator[int]:
    """Steps of Adam; whoever iterates leaves gradients behind."""
    optimizer = torch.optim.Adam(parameters, lr=_LEARNING_RATE)
    for step in range(_STEPS):
        optimizer.zero_grad()
        yield step
        optimizer.step()


def calibrate_run(run: Path, data: Path) -> dict[str, float]:
    """Calibrate a finished run's weights in its checkpoint and return the scores before and after."""
    graph, config, _ = load_trained(run)
    scores = calibrate(graph, calibration_views(config, data, _VIEWS))
    save_calibration(RunFolder(path=run), graph)
    return scores


@torch.no_grad()
def _predict(graph: LiftingGraph, batch: ViewBatch) -> _Case:
    view = graph.view(batch.slopes, batch.confidence)
    # With focal length 1, pixels are slopes.
    errors = graph(batch.slopes, batch.confidence, torch.eye(3).expand(len(batch.slopes), 3, 3)).reprojection_error_px
    return _Case(
        prediction=graph.network(view.points, batch.confidence, view.log_radius),
        confidence=batch.confidence,
        misfit=relative_misfit(errors, batch.slopes, batch.confidence),
        target=(batch.pose_m @ view.rotation)[:, 1:].flatten(1),
    )


def _mixture(case: _Case, std_m: Tensor, log_mixing: Tensor) -> GaussianMixture:
    return dataclasses.replace(case.prediction, std_m=std_m, log_mixing_coefficients=log_mixing).distribution()


@torch.no_grad()
def _scores(graph: LiftingGraph, cases: Sequence[_Case]) -> dict[str, float]:
    scores = []
    for case in cases:
        std_m = graph.calibration.correct(case.prediction.std_m, case.confidence, case.misfit)
        mixture = _mixture(case, std_m, graph.probabilities(case.prediction.log_mixing_coefficients).log())
        crps = 1000.0 * mixture_crps(mixture, case.target).mean()
        nll = mixture_nll(mixture, case.target).mean() / case.target.shape[1]
        scores.append(torch.stack([pit_distance(mixture, case.target).mean().sqrt(), crps, nll]))
    distance, crps, nll = torch.stack(scores).mean(dim=0).tolist()
    return {"pit_distance": round(distance, 4), "crps_mm": round(crps, 3), "nll": round(nll, 4)}
