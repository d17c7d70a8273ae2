"""Lifters side by side, best of M at equal M, on keypoints files with their truth.

python benchmarks/best_of_m.py VIEWS [--models mdn_lifter cvae_lifter] [--rows clean noisy one_missing two_missing]

VIEWS holds NAME.npz and NAME.truth.npz. Best of M takes the M hypotheses ranked first. The mixture's are its means and,
beyond their number, samples; the CVAE's are samples of seed 0, ranked among 200. Millimetres, root-relative, no
alignment.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.evaluation.truth_files import read_truth, truth_path
from pose_mdn.formats import read_keypoints
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence

COUNTS = (1, 5, 10, 32, 100, 200)
MM = 1000.0


def ranked_errors(hypotheses: HypothesisSequence, truth_m: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """(N, count) mean joint errors, in the order of the ranking; Gaussian samples fill up what is missing."""
    order = np.argsort(-hypotheses.mixing_coefficients, axis=1, kind="stable")
    means = np.take_along_axis(hypotheses.means_m, order[..., None, None], axis=1)
    errors = np.linalg.norm(means - truth_m[:, None], axis=-1).mean(axis=-1)
    extra = count - errors.shape[1]
    if extra <= 0:
        return errors[:, :count]
    rng = np.random.default_rng(0)
    rows = np.arange(len(truth_m))
    cumulative = hypotheses.mixing_coefficients.cumsum(axis=1)
    sampled = []
    for _ in range(extra):
        which = (rng.random((len(rows), 1)) > cumulative).sum(axis=1).clip(max=errors.shape[1] - 1)
        std = hypotheses.std_m[rows, which][..., [0, 0, 1]]
        offset = std * rng.standard_normal(std.shape) @ np.swapaxes(hypotheses.view_rotation, 1, 2)
        pose = hypotheses.means_m[rows, which] + offset
        sampled.append(np.linalg.norm(pose - truth_m, axis=-1).mean(axis=-1))
    return np.concatenate([errors, np.stack(sampled, axis=1)], axis=1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("views", type=Path)
    parser.add_argument("--models", nargs="+", default=["mdn_lifter", "cvae_lifter"])
    parser.add_argument("--rows", nargs="+", default=["clean", "noisy", "one_missing", "two_missing"])
    arguments = parser.parse_args()
    print("| views | model | " + " | ".join(f"best of {m}" for m in COUNTS) + " | mean |")
    for name in arguments.rows:
        file = arguments.views / f"{name}.npz"
        keypoints, truth = read_keypoints(file), read_truth(truth_path(file)).pose_camera_m
        truth = truth - truth[:, :1]
        for model in arguments.models:
            lifter = load_lifter(model, threads=1)
            if lifter.latent_dim is not None:
                lifter = lifter.sampling(num_hypotheses=max(COUNTS))
            hypotheses = lifter.lift(keypoints)
            errors = ranked_errors(hypotheses, truth, max(COUNTS)) * MM
            weights = hypotheses.mixing_coefficients[..., None, None]
            mean = np.linalg.norm((weights * hypotheses.means_m).sum(axis=1) - truth, axis=-1).mean() * MM
            best = " | ".join(f"{errors[:, :m].min(axis=1).mean():.1f}" for m in COUNTS)
            print(f"| {name} | {lifter.name} | {best} | {mean:.1f} |", flush=True)


if __name__ == "__main__":
    main()
