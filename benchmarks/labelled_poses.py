"""Whether a conditioned prior's samples show the action they are asked for.

python benchmarks/labelled_poses.py MOTIONS.npz [--model pose_cvae]

A classifier is trained on real poses of the recordings that the prior was not trained on (a quarter of each class of
`train`, all of `validation` and `test`), 500 per class and split, seed 0. It judges 300 samples per class and, to
compare with, real poses of the other recordings. Millimetres.
"""

import argparse
from pathlib import Path

import numpy as np

from pose_mdn.data.actions import ACTION_CLASSES
from pose_mdn.evaluation.action_classifier import judge_conditioned_prior
from pose_mdn.evaluation.pose_priors import nearest_mm, real_labelled_poses
from pose_mdn.inference import load_pose_prior

PER_CLASS = 500
SPLITS = ("train", "validation", "test")
SAMPLES = 300
MM = 1000.0


def main() -> None:
    """Print a line per class."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="pose_cvae")
    arguments = parser.parse_args()
    prior = load_pose_prior(arguments.model, threads=1)
    held = real_labelled_poses(arguments.data, per_class=PER_CLASS, seed=0, splits=SPLITS)
    others = real_labelled_poses(arguments.data, per_class=PER_CLASS, seed=0, held_out=False)
    found = judge_conditioned_prior(prior, held, others, per_class=SAMPLES)
    encoded = prior.encode(held[0], label=held[1])
    decoded = prior.decode(encoded.mean, label=held[1], heading_rad=encoded.heading_rad)
    error = np.linalg.norm(decoded - held[0], axis=-1).mean(axis=-1) * MM
    print(
        "| class | samples seen so | real poses seen so | mostly taken for | reconstruction mm | to nearest real mm |"
    )
    print("|---|--:|--:|---|--:|--:|")
    for index, name in enumerate(ACTION_CLASSES):
        wrong = np.where(np.arange(len(ACTION_CLASSES)) == index, 0.0, found.confusion[index])
        samples = prior.sample(SAMPLES, seed=1, label=name)
        near = np.median(nearest_mm(samples, held[0][held[1] == index]))
        print(
            f"| {name} | {found.confusion[index, index]:.0%} | {found.real_confusion[index, index]:.0%} "
            f"| {ACTION_CLASSES[int(wrong.argmax())]} ({wrong.max():.0%}) | {error[held[1] == index].mean():.1f} "
            f"| {near:.0f} |"
        )
    print(f"mean: samples {found.samples:.1%}, real {found.real:.1%}, chance {found.chance:.1%}")
    meant = np.arange(2 * SAMPLES) % len(ACTION_CLASSES)
    usual = prior.score(prior.sample(len(meant), seed=2), label=meant).usual.mean()
    print(f"samples within the usual range: {usual:.1%}; reconstruction {error.mean():.1f} mm")


if __name__ == "__main__":
    main()
