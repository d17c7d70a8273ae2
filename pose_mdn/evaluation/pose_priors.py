"""What a prior over poses is worth, measured against real poses that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.data.actions import ACTION_CLASSES, action_classes, held_out_motions
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.pose_density import distinct_pose_weights
from pose_mdn.geometry.joint_limits import within_limits
from pose_mdn.geometry.upright import turn_to_face, y_up_to_upright
from pose_mdn.inference.pose_prior import PosePrior
from pose_mdn.metrics.bodies import mpsse_mm, worst_asymmetry_mm
from pose_mdn.skeletons import HUMAN36M17

USUAL_QUANTILES = (0.005, 0.995)
"""Between these quantiles of real poses' scores a pose counts as usual."""

_MM = 1000.0
_ACTIVE_VARIANCE = 0.01
_SYMMETRIC_MM = 10.0
_CHUNK = 256
_UPRIGHT_COSINE = np.cos(np.radians(30.0))


@dataclass(frozen=True, kw_only=True)
class PriorFigures:
    """Figures of a prior; shares in [0, 1].

    Attributes:
        reconstruction_mm: MPJPE of encoding by the posterior mean and decoding.
        reconstruction_median_mm: Median over poses of the same.
        active_units: Latent dimensions whose posterior mean varies over poses by more than 0.01.
        kl_nats: Mean divergence of posteriors from the prior.
        real_score_nats: 0.5, 5, 50, 95, 99.5 % quantiles of real poses' scores.
        sample_score_nats: The same of samples.
        samples_usual: Share of samples within the bundle's range of real poses.
        samples_in_test_range: Share of samples between the 0.5 and 99.5 % quantiles of these real poses.
        real_usual: Share of these real poses within the bundle's range.
        samples_symmetric: Share of samples no bone of which differs from its mirror image by more than 10 mm.
        asymmetry_mm: Mean difference of mirrored bones, samples and real poses.
        within_limits: Share within human joint limits, samples and real poses.
        upright: Share whose trunk is within 30 degrees of upright, samples and real poses.
        sample_to_real_mm: Median distance (mean over joints) of samples to the nearest real pose.
        real_to_sample_mm: Median distance of real poses to the nearest sample.
        real_to_real_mm: Median distance of real poses to the nearest real pose of another half.
        standard_error_nats: Median standard error of the scores.
    """

    reconstruction_mm: float
    reconstruction_median_mm: float
    active_units: int
    kl_nats: float
    real_score_nats: list[float]
    sample_score_nats: list[float]
    samples_usual: float
    samples_in_test_range: float
    real_usual: float
    samples_symmetric: float
    asymmetry_mm: list[float]
    within_limits: list[float]
    upright: list[float]
    sample_to_real_mm: float
    real_to_sample_mm: float
    real_to_real_mm: float
    standard_error_nats: float


def real_poses(data: Path, split: str, *, count: int, seed: int, balanced: bool) -> NDArray[np.float64]:
    """(count, 17, 3) measured poses of a split in the upright frame, root-relative, facing.

    Args:
        data: Motion data file.
        split: "train", "validation" or "test".
        count: How many; no pose comes twice.
        seed: Of the draw.
        balanced: Evenly over distinct poses instead of evenly over frames.
    """
    motion = read_motion_data(data, split)
    rng = np.random.default_rng(seed)
    weights = distinct_pose_weights(motion.pose_m) if balanced else None
    index = rng.choice(len(motion), size=min(count, len(motion)), replace=False, p=weights)
    pose = motion.pose_m[index].astype(np.float64)
    return np.asarray(turn_to_face(y_up_to_upright(pose - pose[:, :1])))


def usual_poses(data: Path, *, count: int, seed: int) -> NDArray[np.float64]:
    """Real poses that say which scores are usual: of training and validation subjects, over frames and distinct poses.

    Validation subjects alone do too little: a range of theirs would call unusual what is merely not dancing.

    Args:
        data: Motion data file.
        count: Of each of the four draws, at most.
        seed: Of the draws.
    """
    draws = [(split, balanced) for split in ("train", "validation") for balanced in (False, True)]
    return np.concatenate(
        [real_poses(data, split, count=count, seed=seed, balanced=balanced) for split, balanced in draws]
    )


def real_labelled_poses(
    data: Path, *, per_class: int, seed: int, held_out: bool = True, splits: Sequence[str] = ("train",)
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Measured poses of the recordings that conditioned priors are not trained on, or of the others, and their classes.

    Args:
        data: Motion data file.
        per_class: At most so many poses of each class and split.
        seed: Of the draw.
        held_out: Of recordings held out of training, or of those trained on.
        splits: Of which splits; all recordings but some of "train" are held out.

    Returns:
        (N, 17, 3) poses in the upright frame, root-relative, facing, and (N,) indices into `ACTION_CLASSES`.
    """
    rng = np.random.default_rng(seed)
    poses, labels = [], []
    for split in splits:
        motion = read_motion_data(data, split)
        classes = action_classes(motion.action, motion.pose_m)
        wanted = np.full(len(motion), held_out)
        if split == "train":
            wanted = held_out_motions(classes, motion.motion) == held_out
        for index in range(len(ACTION_CLASSES)):
            members = np.flatnonzero(wanted & (classes == index))
            rows = rng.choice(members, size=min(per_class, len(members)), replace=False)
            pose = motion.pose_m[rows].astype(np.float64)
            poses.append(np.asarray(turn_to_face(y_up_to_upright(pose - pose[:, :1]))))
            labels.append(classes[rows])
    return np.concatenate(poses), np.concatenate(labels)


def usual_range_nats(
    prior: PosePrior, poses: NDArray[np.float64], *, label: NDArray[np.int64] | None = None, seed: int = 0
) -> tuple[float, float]:
    """Scores between which 99 % of real poses lie."""
    low, high = np.quantile(prior.score(poses, seed=seed, label=label).bound_nats, USUAL_QUANTILES)
    return float(low), float(high)


def measure_prior(prior: PosePrior, real_m: NDArray[np.float64], *, seed: int = 0) -> PriorFigures:
    """Compare a prior without labels with (N, 17, 3) real poses; as many samples are drawn as there are."""
    encoded = prior.encode(real_m)
    decoded = prior.decode(encoded.mean, heading_rad=encoded.heading_rad)
    error = np.linalg.norm(decoded - real_m, axis=-1).mean(axis=-1) * _MM
    samples = prior.sample(len(real_m), seed=seed)
    real_score, sample_score = prior.score(real_m, seed=seed), prior.score(samples, seed=seed)
    low, high = np.quantile(real_score.bound_nats, USUAL_QUANTILES)
    inside = (sample_score.bound_nats >= low) & (sample_score.bound_nats <= high)
    half = len(real_m) // 2
    kl = 0.5 * (encoded.mean**2 + np.exp(encoded.log_variance) - 1.0 - encoded.log_variance).sum(axis=1)
    return PriorFigures(
        reconstruction_mm=float(error.mean()),
        reconstruction_median_mm=float(np.median(error)),
        active_units=int((encoded.mean.var(axis=0) > _ACTIVE_VARIANCE).sum()),
        kl_nats=float(kl.mean()),
        real_score_nats=_quantiles(real_score.bound_nats),
        sample_score_nats=_quantiles(sample_score.bound_nats),
        samples_usual=float(sample_score.usual.mean()),
        samples_in_test_range=float(inside.mean()),
        real_usual=float(real_score.usual.mean()),
        samples_symmetric=float((worst_asymmetry_mm(samples) <= _SYMMETRIC_MM).mean()),
        asymmetry_mm=[float(mpsse_mm(poses).mean()) for poses in (samples, real_m)],
        within_limits=[float(within_limits(poses).mean()) for poses in (samples, real_m)],
        upright=[float(_is_upright(poses).mean()) for poses in (samples, real_m)],
        sample_to_real_mm=float(np.median(nearest_mm(samples, real_m))),
        real_to_sample_mm=float(np.median(nearest_mm(real_m, samples))),
        real_to_real_mm=float(np.median(nearest_mm(real_m[:half], real_m[half:]))),
        standard_error_nats=float(np.median(real_score.standard_error_nats)),
    )


def nearest_mm(poses: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) mean joint distance of (N, 17, 3) poses to the nearest of (M, 17, 3) others, millimetres."""
    nearest = np.empty(len(poses))
    for start in range(0, len(poses), _CHUNK):
        rows = slice(start, start + _CHUNK)
        distance = np.zeros((len(poses[rows]), len(others)), np.float32)
        for joint in range(HUMAN36M17.num_joints):
            one, other = poses[rows, joint].astype(np.float32), others[:, joint].astype(np.float32)
            square = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2.0 * one @ other.T
            distance += np.sqrt(np.maximum(square, 0.0))
        nearest[rows] = distance.min(axis=1) / HUMAN36M17.num_joints * _MM
    return nearest


def _is_upright(pose_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    trunk = pose_m[:, HUMAN36M17.index("thorax")]
    return np.asarray(-trunk[:, 1] > _UPRIGHT_COSINE * np.linalg.norm(trunk, axis=-1))


def _quantiles(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 1) for value in np.quantile(values, (0.005, 0.05, 0.5, 0.95, 0.995))]
