"""How well an unknown focal length is told by one person, and what not knowing it costs.

    python benchmarks/focal_length.py MOTIONS.npz [--split test] [--clips 600] [--fit]

Clips of `benchmarks/filmed_clips.py`: focal lengths from the prior, sizes in the picture independent of them. Printed:
the error of log f and how often the stated 68 % interval holds it, by the number of frames, by the person's distance,
by the keypoints' noise; then what focal lengths that are wrong by a given factor do to the pose, and what is gained by
estimating. `--fit` fits the tempering of `pose_mdn.inference.focal_evidence` to the train and validation splits
instead. Needs a motion data file (docs/training.md), and scipy for `--fit`.
"""

import argparse
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from filmed_clips import FRAMES_PER_CLIP, FilmedClip, film_clips
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.distributions import PoseMixture
from pose_mdn.geometry.field_of_view import centred_intrinsics
from pose_mdn.geometry.focal_length import GRID, PRIOR_LOG_STD, FocalLength
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.inference.focal_evidence import TEMPERATURE, person_evidence, row_evidence
from pose_mdn.inference.focal_length import lift_with_unknown_focal_length
from pose_mdn.poses.hypotheses import HypothesisSequence

FRAMES = FRAMES_PER_CLIP
BONE_LOG_STD = 0.06
"""Of the bodies to fit to: about what the proportions of people differ by, more than those of few subjects do."""
DISTANCES = ((1.0, 3.0), (3.0, 5.0), (5.0, 8.0), (8.0, 40.0))
HEIGHTS = (0.2, 0.35, 0.55, 0.86)
"""Bounds of the person's height in parts of the picture's."""
STATED = (0.0, 0.25, 0.33, 0.4, 0.5)
"""Bounds of the stated standard deviation of log f."""
LENGTHS = (1, 5, 10, 20, 40)
NOISES = (0.0, 0.006, 0.012, 0.024)
FACTORS = (0.6, 0.8, 1.0, 1.25, 1.6)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Clips lifted at every focal length of the grid.

    Attributes:
        likelihood: (C, G, T) of `row_evidence`.
        depth_m: (C, G, T) of `row_evidence`.
        log_true: (C,) logarithms of the true focal lengths in diagonals.
        distance_m: (C,) true mean distances.
        height: (C,) the standing person's in parts of the picture's.
        diagonal_px: (C,) of the pictures.
    """

    likelihood: NDArray[np.float64]
    depth_m: NDArray[np.float64]
    log_true: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    height: NDArray[np.float64]
    diagonal_px: NDArray[np.float64]

    def estimate(self, clip: int, frames: int) -> FocalLength:
        """What the first frames of a clip tell."""
        evidence = person_evidence(self.likelihood[clip, :, :frames], self.depth_m[clip, :, :frames])
        return FocalLength(diagonal_px=float(self.diagonal_px[clip]), log_evidence=evidence, rows=frames)


def look(lifter: Lifter, clips: list[FilmedClip]) -> Looked:
    """Lift all clips at every focal length of the grid."""
    sizes = [clip.keypoints.image_size for clip in clips]
    diagonal_px = np.array([np.hypot(*size) for size in sizes])
    keypoints = np.concatenate([clip.keypoints.keypoints_px for clip in clips])
    found = []
    for log_focal in GRID:
        cameras = [centred_intrinsics(s, d * np.exp(log_focal)) for s, d in zip(sizes, diagonal_px, strict=True)]
        found.append(row_evidence(lifter.lift_arrays(keypoints, intrinsics=np.repeat(cameras, FRAMES, axis=0))))
    likelihood, depth = (np.stack(values) for values in zip(*found, strict=True))
    return Looked(
        likelihood=likelihood.reshape(len(GRID), len(clips), FRAMES).swapaxes(0, 1),
        depth_m=depth.reshape(len(GRID), len(clips), FRAMES).swapaxes(0, 1),
        log_true=np.log([clip.focal_px for clip in clips] / diagonal_px),
        distance_m=np.array([clip.joints_m[:, 0, 2].mean() for clip in clips]),
        height=np.array([clip.height_in_picture for clip in clips]),
        diagonal_px=diagonal_px,
    )


def print_errors(title: str, looked: Looked, frames: int, chosen: NDArray[np.bool_]) -> None:
    """One row of a table."""
    found = [looked.estimate(int(clip), frames) for clip in np.flatnonzero(chosen)]
    log_true, diagonal = looked.log_true[chosen], looked.diagonal_px[chosen]
    error = np.log([focal.focal_px for focal in found] / diagonal) - log_true
    below = np.array([focal.share_below(d * np.exp(t)) for focal, d, t in zip(found, diagonal, log_true, strict=True)])
    silent = np.mean([focal.says_nothing for focal in found])
    print(
        f"| {title:32} | {chosen.sum():4} | {np.exp(np.sqrt(np.mean((log_true - GRID.mean()) ** 2))):.2f} "
        f"| {np.exp(np.sqrt(np.mean(error**2))):.2f} | {np.exp(np.mean([focal.log_std for focal in found])):.2f} "
        f"| {100 * np.mean(np.abs(below - 0.5) < 0.34):3.0f} % | {100 * silent:3.0f} % |"
    )


def print_estimates(lifter: Lifter, given: argparse.Namespace) -> None:
    """By frames, distance and noise."""
    print("| views | clips | error of the prior | error | stated | 68 % holds | says nothing |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for noise in NOISES:
        looked = look(lifter, film_clips(given.motions, given.split, count=given.clips, frames=FRAMES, noise=noise))
        everywhere = np.ones(given.clips, bool)
        if noise == 0.012:
            for frames in LENGTHS:
                print_errors(f"{frames} frames", looked, frames, everywhere)
            for frames in (1, FRAMES):
                for low, high in DISTANCES:
                    near = (looked.distance_m >= low) & (looked.distance_m < high)
                    print_errors(f"{frames} frames, {low:g} to {high:g} m", looked, frames, near)
            for low, high in pairwise(HEIGHTS):
                large = (looked.height >= low) & (looked.height < high)
                print_errors(f"{FRAMES} frames, {low:g} to {high:g} of the picture", looked, FRAMES, large)
            stated = np.array([looked.estimate(clip, FRAMES).log_std for clip in range(given.clips)])
            for low, high in pairwise(STATED):
                chosen = (stated >= low) & (stated < high)
                print_errors(f"{FRAMES} frames, stated {np.exp(low):.2f} to {np.exp(high):.2f}", looked, FRAMES, chosen)
        else:
            print_errors(f"{FRAMES} frames, noise {100 * noise:g} %", looked, FRAMES, everywhere)


def score(answers: list[HypothesisSequence], clips: list[FilmedClip]) -> str:
    """Pose, distance and calibration of the clips' answers."""
    figures = []
    for answer, clip in zip(answers, clips, strict=True):
        hypotheses, truth = answer.take(answer.lifted), clip.joints_m[answer.lifted]
        relative = truth - truth[:, :1]
        weights, means = hypotheses.mixing_coefficients, hypotheses.means_m.astype(np.float64)
        top = hypotheses.most_probable
        rows = np.arange(len(truth))
        samples = PoseMixture(hypotheses).sample(50, np.random.default_rng(0))[..., 1:, :]
        root = hypotheses.root_translation_m[rows, top] - truth[:, 0]
        along = np.einsum("ni,ni->n", root, hypotheses.view_rotation[..., 2])
        held = np.abs(along) < hypotheses.root_std_m[rows, top, 1]
        figures.append(
            [
                metrics.top_1(metrics.mpjpe_mm(means, relative[:, None]), weights).mean(),
                metrics.top_1(
                    metrics.pa_mpjpe_mm(means, np.broadcast_to(relative[:, None], means.shape)), weights
                ).mean(),
                100 * (np.abs(along) / np.linalg.norm(truth[:, 0], axis=-1)).mean(),
                100 * metrics.coverage_at(metrics.coverage_curve(samples, relative[:, 1:]), 0.68),
                100 * held.mean() if np.isfinite(hypotheses.root_std_m).any() else np.nan,
            ]
        )
    return " | ".join(f"{figure:5.1f}" for figure in np.mean(figures, axis=0))


def print_consequences(lifter: Lifter, given: argparse.Namespace) -> None:
    """What a wrong focal length costs, and an estimated one."""
    clips = film_clips(given.motions, given.split, count=given.clips // 3, frames=FRAMES)
    print("\n| focal length | MPJPE | PA-MPJPE | distance off by, % | 68 % holds pose | 68 % holds distance |")
    print("|---|--:|--:|--:|--:|--:|")
    for factor in FACTORS:
        answers = [
            lifter.lift(
                replace(
                    clip.keypoints, intrinsics=centred_intrinsics(clip.keypoints.image_size, factor * clip.focal_px)
                )
            )
            for clip in clips
        ]
        print(f"| {factor:g} times the true one | {score(answers, clips)} |")
    print(f"| assumed | {score([lifter.lift(clip.keypoints) for clip in clips], clips)} |")
    estimated = [lift_with_unknown_focal_length(lifter, clip.keypoints)[0] for clip in clips]
    print(f"| estimated | {score(estimated, clips)} |")


def print_fit(lifter: Lifter, given: argparse.Namespace) -> None:
    """The tempering of maximum likelihood of the true focal lengths, over clips of all lengths."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415

    evidence, truths = [], []
    for seed, split in enumerate(("train", "validation"), 1):
        clips = film_clips(given.motions, split, count=given.clips, frames=FRAMES, seed=seed, bone_log_std=BONE_LOG_STD)
        looked = look(lifter, clips)
        for frames in (1, 3, 10, 20, 40):
            for clip in range(given.clips):
                evidence.append(looked.estimate(clip, frames).log_evidence / TEMPERATURE)
                truths.append(looked.log_true[clip])
    curves = np.array(evidence)
    prior = -0.5 * ((GRID - GRID.mean()) / PRIOR_LOG_STD) ** 2
    place = np.clip((np.array(truths) - GRID[0]) / (GRID[1] - GRID[0]), 0, len(GRID) - 1.001)
    left = place.astype(int)
    rows = np.arange(len(left))

    def loss(temperature: float) -> float:
        score = temperature * curves + prior
        score -= np.logaddexp.reduce(score, axis=1)[:, None]
        share = place - left
        return float(-np.mean((1 - share) * score[rows, left] + share * score[rows, left + 1]))

    best = minimize_scalar(loss, bounds=(0, 3), method="bounded")
    print(f"temperature {best.x:.3f}: {best.fun:.4f} nats per clip, {loss(0.0):.4f} without evidence")


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motions", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--clips", type=int, default=600)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--model", default="mdn_lifter")
    given = parser.parse_args()
    lifter = load_lifter(given.model, threads=1)
    if given.fit:
        print_fit(lifter, given)
        return
    print_estimates(lifter, given)
    print_consequences(lifter, given)


if __name__ == "__main__":
    main()
