"""What it is worth to know a person's stature or bone lengths, on virtual views of subjects kept from training.

    python benchmarks/known_body.py MOTIONS.npz [--split validation] [--views 2000] [--model mdn_lifter]

Three answers to the same views: the lifter's own, with the subject's true stature, and with the subject's true bone
lengths (the median over the subject's frames). The bodies are those of the motions, then the same ones with bones that
are 10 % longer or shorter, drawn per subject and bone, and then people of 0.65 and of 1.2 times the size, in the same
pictures. "root" is the distance between the true pelvis and that of the most probable hypothesis.

Before that, how well `stature_m` tells the height of people who stand upright in the motions. Needs torch and a motion
data file (docs/training.md).
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from pose_mdn import metrics
from pose_mdn.data.mocap import MotionData, read_motion_data
from pose_mdn.distributions import PoseMixture
from pose_mdn.evaluation.virtual_views import VirtualViews, virtual_views
from pose_mdn.geometry.body import BONE_CLASSES, KnownBodies, KnownBody
from pose_mdn.geometry.known_body import class_lengths_m, stature_m, with_bone_lengths
from pose_mdn.inference import load_lifter, with_known_body
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17

SPLITS = ("train", "validation", "test")
ANKLE_HEIGHT = 0.039
"""Of the stature: Drillis and Contini, 1966."""
BONE_STD = 0.1
"""Of the logarithm of the bone lengths of other proportions."""
UPRIGHT = 0.93
"""Subjects who never stretch to this part of what `stature_m` says never stand upright, and have no known height."""


def upright_height_m(pose_m: np.ndarray) -> float:
    """Standing height of a subject from (N, 17, 3) frames, Y up: the tallest they are, with their feet added."""
    height = pose_m[:, HUMAN36M17.index("head_top"), 1]
    ankles = np.minimum(*(pose_m[:, HUMAN36M17.index(name), 1] for name in ("l_ankle", "r_ankle")))
    return float(np.percentile(height - ankles, 98)) / (1 - ANKLE_HEIGHT)


def measure_statures(motion: MotionData) -> dict[str, tuple[float, float]]:
    """Upright height and `stature_m` of every subject who stands upright somewhere."""
    found = {}
    for subject in np.unique(motion.subject):
        pose = motion.pose_m[motion.subject == subject][::5].astype(np.float64)
        told, seen = float(np.median(stature_m(pose))), upright_height_m(pose)
        if len(pose) >= 20 and seen > UPRIGHT * told:
            found[str(subject)] = (seen, told)
    return found


def bodies_of(motion: MotionData, subjects: np.ndarray) -> tuple[dict[int, KnownBody], dict[int, KnownBody]]:
    """Statures, where known, and bone lengths of the subjects, by their place in `subjects`."""
    heights = measure_statures(motion)
    statures, bones = {}, {}
    for person, subject in enumerate(subjects):
        lengths = np.median(class_lengths_m(motion.pose_m[motion.subject == subject]), axis=0)
        bones[person] = KnownBody(bone_lengths_m=dict(zip(BONE_CLASSES, lengths.tolist(), strict=True)))
        if subject in heights:
            statures[person] = KnownBody(stature_m=heights[subject][0])
    return statures, bones


def score(hypotheses: HypothesisSequence, truth_m: np.ndarray) -> str:
    """One line of the table."""
    means, weights = hypotheses.means_m.astype(np.float64), hypotheses.mixing_coefficients
    relative = (truth_m - truth_m[:, :1]).astype(np.float64)
    errors = metrics.mpjpe_mm(means, relative[:, None])
    aligned = metrics.pa_mpjpe_mm(means, np.broadcast_to(relative[:, None], means.shape))
    root = 1000 * np.linalg.norm(hypotheses.root_translation_m - truth_m[:, None, 0], axis=-1)
    samples = PoseMixture(hypotheses).sample(200, np.random.default_rng(0))[..., 1:, :]
    coverage = metrics.coverage_at(metrics.coverage_curve(samples, relative[:, 1:]), 0.68)
    figures = [
        metrics.best_of_m(errors).mean(),
        metrics.top_1(errors, weights).mean(),
        metrics.best_of_m(aligned).mean(),
        metrics.top_1(aligned, weights).mean(),
        metrics.top_1(root, weights).mean(),
        np.median(metrics.top_1(hypotheses.reprojection_error_px, weights)),
    ]
    return " | ".join(f"{figure:8.1f}" for figure in figures) + f" | {100 * coverage:6.1f} %"


def print_views(views: VirtualViews, motion: MotionData, subject: np.ndarray, *, model: str, size: float) -> None:
    """Before and after, for one kind of views, of people who are `size` times as large and as far away."""
    subjects, person = np.unique(subject, return_inverse=True)
    statures, bones = bodies_of(replace(motion, pose_m=size * motion.pose_m), subjects)
    hypotheses = replace(load_lifter(model).lift(views.keypoints), person=person)
    keep = hypotheses.lifted & np.isin(person, list(statures))
    hypotheses, truth = hypotheses.take(keep), size * views.pose_camera_m[keep]
    print(f"\n{views.name}, {size:g} times the size: {keep.sum()} views of {len(statures)} subjects")
    print("                  | best-of-M |   top-1 | PA best | PA top-1 |  root mm | repr. px | 68 % holds")
    for name, known in (("prior", None), ("stature", statures), ("bone lengths", bones)):
        answer = hypotheses if known is None else with_known_body(hypotheses, KnownBodies(persons=known))
        print(f"{name:17} | {score(answer, truth)}")


def write_other_proportions(source: Path, target: Path) -> None:
    """Motions whose subjects have bones that are longer or shorter by about `BONE_STD`."""
    with np.load(source) as archive:
        arrays = dict(archive)
    rng = np.random.default_rng(0)
    for subject in np.unique(arrays["subject"]):
        chosen = np.flatnonzero(arrays["subject"] == subject)
        rows = np.concatenate([arrays["seq_start"][i] + np.arange(arrays["seq_len"][i]) for i in chosen])
        pose = arrays["pose"][rows]
        lengths = np.median(class_lengths_m(pose), axis=0) * np.exp(BONE_STD * rng.normal(size=len(BONE_CLASSES)))
        body = KnownBody(bone_lengths_m=dict(zip(BONE_CLASSES, lengths.tolist(), strict=True)))
        arrays["pose"][rows] = with_bone_lengths(pose - pose[:, :1], body)[0] + pose[:, :1]
    np.savez(target, **arrays)


def print_bodies(title: str, motions: Path, given: argparse.Namespace, sizes: tuple[float, ...]) -> None:
    """All tables for the bodies of one file."""
    print(f"\n{title}")
    motion = read_motion_data(motions, given.split)
    index = np.sort(np.random.default_rng(0).choice(len(motion), size=given.views, replace=False))
    clean, noisy, *_ = virtual_views(motions, given.split, count=given.views, seed=0)
    lengths = class_lengths_m(motion.pose_m[index])
    same = np.allclose(class_lengths_m(clean.pose_camera_m), lengths, atol=1e-3)
    assert same, "the views are of other frames than those whose subjects are known"
    for views in (clean, noisy):
        for size in sizes:
            print_views(views, motion, motion.subject[index], model=given.model, size=size)


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("motions", type=Path)
    parser.add_argument("--split", choices=SPLITS, default="validation")
    parser.add_argument("--views", type=int, default=2000)
    parser.add_argument("--model", default="mdn_lifter")
    given = parser.parse_args()
    told = [pair for split in SPLITS for pair in measure_statures(read_motion_data(given.motions, split)).values()]
    seen_m, told_m = np.array(told).T
    ratio = told_m / seen_m - 1
    print(
        f"stature_m against the upright height of {len(told)} subjects of {seen_m.min():.2f} to {seen_m.max():.2f} m:"
    )
    print(f"  median {100 * np.median(ratio):+.1f} %, root mean square {100 * np.sqrt((ratio**2).mean()):.1f} %")
    print_bodies("The bodies of the motions", given.motions, given, (1.0, 0.65, 1.2))
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "motions.npz"
        write_other_proportions(given.motions, other)
        print_bodies("Bodies of other proportions", other, given, (1.0,))


if __name__ == "__main__":
    main()
