"""What is measured of each pose, before anything is averaged."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.distributions import PoseMixture
from pose_mdn.evaluation.pose_samples import draw_samples
from pose_mdn.geometry.joint_limits import TOLERANCE_RAD, limit_excess_rad
from pose_mdn.geometry.procrustes import procrustes_align
from pose_mdn.poses.hypotheses import HypothesisSequence

SAMPLE_COUNTS = (1, 5, 10, 50, 200)
"""Numbers of samples whose best is measured; as many as the last are drawn."""

_MM = 1000.0
_SLICE = 256

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Measurements of N lifted poses with M hypotheses each. Lengths are in millimetres unless the name says otherwise.

    Attributes:
        weights: (N, M) mixing coefficients.
        errors: (N, M) MPJPE of each component's mean.
        aligned_errors: (N, M) PA-MPJPE of each.
        scaled_errors: (N, M) N-MPJPE of each.
        correct_scores: (N, M) correct poses score of each.
        mixture_errors: (N,) MPJPE of the mixture's mean.
        sample_errors: (N, 5) MPJPE of the best of each of `SAMPLE_COUNTS` samples.
        best_joint_errors: (N, 17) of the component with the smallest MPJPE.
        top_joint_errors: (N, 17) of the most probable component.
        mixture_joint_errors: (N, 17) of the mixture's mean.
        nll: (N,) negative log-likelihood of the truth, nats per coordinate (metres).
        crps: (N,) continuous ranked probability score, mean over coordinates of the line-of-sight frame.
        levels: (N, 16, 3) level of the interval that holds the truth, `metrics.interval_levels`.
        across: (N, 17) standard deviation of each joint across the line of sight.
        along: (N, 17) the same along it.
        asymmetry: (N, M) MPSSE of each component's mean.
        beyond_limits: (N, M, K) which limits of `pose_mdn.geometry.joint_limits` each exceeds.
        reprojection_px: (N, M) distance to the observed joints.
        flagged: (N,) whether the model takes the keypoints for no person.
        top_pose_m: (N, 17, 3) most probable component's mean, metres.
        frame: (N,) frame numbers.
        person: (N,) identities.
        in_film: Whether consecutive frame numbers mean consecutive moments.
    """

    weights: FloatArray
    errors: FloatArray
    aligned_errors: FloatArray
    scaled_errors: FloatArray
    correct_scores: FloatArray
    mixture_errors: FloatArray
    sample_errors: FloatArray
    best_joint_errors: FloatArray
    top_joint_errors: FloatArray
    mixture_joint_errors: FloatArray
    nll: FloatArray
    crps: FloatArray
    levels: NDArray[np.floating]
    across: FloatArray
    along: FloatArray
    asymmetry: FloatArray
    beyond_limits: NDArray[np.bool_]
    reprojection_px: NDArray[np.floating]
    flagged: NDArray[np.bool_]
    top_pose_m: FloatArray
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    in_film: bool

    def __len__(self) -> int:
        return len(self.errors)

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """Some of the poses."""
        return dataclasses.replace(self, **{name: getattr(self, name)[rows] for name in _columns()})


def measure(
    hypotheses: HypothesisSequence,
    truth_m: FloatArray,
    *,
    seed: int,
    on_progress: Callable[[int], None] | None = None,
) -> Measurements:
    """Measure lifted rows, in slices, so that memory beyond the result does not grow with N.

    Args:
        hypotheses: N rows, all of them lifted.
        truth_m: (N, 17, 3) root-relative truth, camera frame.
        seed: Seed of the samples.
        on_progress: Called with the number of rows just measured.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for start in range(0, len(hypotheses), _SLICE):
        rows = slice(start, start + _SLICE)
        parts.append(_measure_slice(hypotheses.take(rows), truth_m[rows], rng))
        if on_progress is not None:
            on_progress(len(parts[-1]))
    return _joined(parts)


def _measure_slice(rows: HypothesisSequence, truth: FloatArray, rng: np.random.Generator) -> Measurements:
    means, weights = rows.means_m.astype(np.float64), rows.mixing_coefficients.astype(np.float64)
    target = np.broadcast_to(truth[:, None], means.shape)
    mixture = PoseMixture(rows)
    # The density's coordinates are those of the line-of-sight frame, the pelvis left out.
    turned = (truth @ rows.view_rotation.astype(np.float64))[:, 1:].reshape(len(truth), -1)
    variance = mixture.variance_m2
    joint_errors = metrics.joint_errors_mm(means, target)
    errors = joint_errors.mean(axis=-1)
    aligned = metrics.joint_errors_mm(procrustes_align(means, target), target)
    mixture_joint_errors = metrics.joint_errors_mm(mixture.mean_m, truth)
    sample_errors, levels = _measure_samples(rows, truth, rng)
    row, top = np.arange(len(truth)), weights.argmax(axis=1)
    return Measurements(
        weights=weights,
        errors=errors,
        aligned_errors=aligned.mean(axis=-1),
        scaled_errors=metrics.n_mpjpe_mm(means, target),
        correct_scores=metrics.correct_poses_score(aligned),
        mixture_errors=mixture_joint_errors.mean(axis=-1),
        sample_errors=sample_errors,
        best_joint_errors=joint_errors[row, errors.argmin(axis=1)],
        top_joint_errors=joint_errors[row, top],
        mixture_joint_errors=mixture_joint_errors,
        nll=-mixture.log_prob(truth) / mixture.dimensions,
        crps=_MM * metrics.mixture_crps(mixture.mixture, turned).mean(axis=-1),
        levels=levels,
        across=_MM * np.sqrt(variance[..., :2].mean(axis=-1)),
        along=_MM * np.sqrt(variance[..., 2]),
        asymmetry=metrics.mpsse_mm(means),
        beyond_limits=limit_excess_rad(means) > TOLERANCE_RAD,
        reprojection_px=rows.reprojection_error_px,
        flagged=rows.out_of_distribution,
        top_pose_m=means[row, top],
        frame=rows.frame,
        person=rows.person,
        in_film=rows.fps is not None,
    )


def _measure_samples(
    rows: HypothesisSequence, truth: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, NDArray[np.floating]]:
    """(N, 5) errors of the best of so many samples, and (N, 16, 3) interval levels."""
    samples = draw_samples(rows, SAMPLE_COUNTS[-1], rng)
    single = truth.astype(np.float32)
    errors = metrics.mpjpe_mm(samples, single[:, None])
    best = np.minimum.accumulate(errors, axis=1)[:, [count - 1 for count in SAMPLE_COUNTS]]
    by_coordinate = np.ascontiguousarray(np.moveaxis(samples[:, :, 1:], 1, -1))
    return best.astype(np.float64), metrics.interval_levels(by_coordinate, single[:, 1:])


def _columns() -> list[str]:
    return [field.name for field in dataclasses.fields(Measurements) if field.name != "in_film"]


def _joined(parts: Sequence[Measurements]) -> Measurements:
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _columns()}
    return dataclasses.replace(parts[0], **columns)
