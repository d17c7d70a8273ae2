"""What a clip's quality says of good clips and of clips with something wrong: where flags' thresholds come from.

    python benchmarks/clip_quality.py --data motions.npz [--split test] [--clips 200] [--model mdn_lifter]

Clips of up to 120 frames are cut from the motions of a split, each seen by one virtual camera through a detector whose
noise is drawn for the clip. Of good clips, percentiles of every figure are printed; of the same clips with something
wrong, the medians of the figures and how often each flag is raised. A last table says what counting costs.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference import load_lifter
from pose_mdn.inference.lifter import Lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.quality import ClipQuality, clip_quality, quality_flags
from pose_mdn.skeletons import HUMAN36M17

FRAMES = 120
FOCAL_PX, CENTRE_PX = 1145.0, 500.0
NOISE = (0.005, 0.02)
"""Of the person's size, drawn for each clip; three in a hundred joints are off by five times as much."""
FIGURES = (
    "reprojection_of_size", "reprojection_p95_of_size", "refused_share", "missing_share", "out_of_distribution_share",
    "implausible_share", "depth_std_m",
)  # fmt: skip

Array = NDArray[np.float64]


def clips(path: Path, split: str, count: int, rng: np.random.Generator) -> list[Array]:
    """(T, 17, 2) true pixels of people of that split."""
    with np.load(path) as data:
        pose, splits = data["pose"].astype(np.float64), data["split"]
        starts, lengths, valid = data["seq_start"], data["seq_len"], data["valid"]
    motions = [
        pose[start : start + length]
        for start, length, name in zip(starts, lengths, splits, strict=True)
        if name == split and length >= FRAMES // 2 and valid[start : start + length].all()
    ]
    windows = []
    for _ in range(count):
        motion = motions[rng.integers(len(motions))]
        start = rng.integers(max(1, len(motion) - FRAMES + 1))
        windows.append(seen(motion[start : start + FRAMES], rng))
    return windows


def seen(motion_m: Array, rng: np.random.Generator) -> Array:
    """(T, 17, 2) pixels of a motion (Y up) through a camera that looks at its middle from 2.5 to 8 m away."""
    azimuth, tilt, distance = rng.uniform(-np.pi, np.pi), rng.uniform(-0.1, 0.35), rng.uniform(2.5, 8.0)
    turn = np.array([[np.cos(azimuth), 0, np.sin(azimuth)], [0, 1, 0], [-np.sin(azimuth), 0, np.cos(azimuth)]])
    nod = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    joints = (motion_m - motion_m[:, 0].mean(axis=0)) @ (np.diag([1.0, -1.0, -1.0]) @ nod @ turn).T
    # Whoever walks towards the camera stops before it.
    distance = max(distance, 1.5 - float(joints[..., 2].min()))
    joints[..., 2] += distance
    return np.asarray(FOCAL_PX * joints[..., :2] / joints[..., 2:] + CENTRE_PX)


def detected(points: Array, rng: np.random.Generator, noise: tuple[float, float] = NOISE) -> Array:
    """Pixels as a detector gives them."""
    size = np.linalg.norm(np.ptp(points, axis=1), axis=-1)[:, None, None]
    level = np.exp(rng.uniform(*np.log(noise)))
    outlier = np.where(rng.random(points.shape[:2]) < 0.03, 5.0, 1.0)[..., None]
    return np.asarray(points + level * size * outlier * rng.standard_normal(points.shape))


def faults() -> dict[str, Callable[[Array, np.random.Generator], Array]]:
    """What can be wrong with a clip's keypoints."""
    names = list(HUMAN36M17.joint_names)
    reversed_order = list(range(16, -1, -1))
    legs = [names.index(f"{side}_{joint}") for side in "lr" for joint in ("knee", "ankle")]

    def hidden(points: Array, rng: np.random.Generator) -> Array:
        found = detected(points, rng)
        found[:, legs] = np.nan
        return found

    def flickering(points: Array, rng: np.random.Generator) -> Array:
        found = detected(points, rng)
        found[rng.random(found.shape[:2]) < 0.2] = np.nan
        return found

    def swapping(points: Array, rng: np.random.Generator) -> Array:
        found = detected(points, rng)
        rows = rng.random(len(found)) < 0.3
        found[rows] = found[rows][:, list(HUMAN36M17.flip_indices)]
        return found

    return {
        "nothing": detected,
        "noise of 4 % of the size": lambda points, rng: detected(points, rng, (0.04, 0.04)),
        "noise of 8 % of the size": lambda points, rng: detected(points, rng, (0.08, 0.08)),
        "left and right exchanged in 30 % of rows": swapping,
        "left and right exchanged in all rows": lambda points, rng: detected(
            points[:, list(HUMAN36M17.flip_indices)], rng
        ),
        "upside down": lambda points, rng: detected(1000.0 - points, rng),
        "joints in reversed order": lambda points, rng: detected(points[:, reversed_order], rng),
        "joints in random order": lambda points, rng: detected(points[:, rng.permutation(17)], rng),
        "x and y exchanged": lambda points, rng: detected(points[..., ::-1], rng),
        "picture squeezed to half its width": lambda points, rng: detected(points * [0.5, 1.0] + [250.0, 0.0], rng),
        "random points": lambda points, rng: rng.uniform(200.0, 800.0, points.shape),
        "knees and ankles never seen": hidden,
        "each joint lost in 20 % of rows": flickering,
        "focal length given as half": lambda points, rng: detected((points - CENTRE_PX) * 2 + CENTRE_PX, rng),
        "focal length given as double": lambda points, rng: detected((points - CENTRE_PX) / 2 + CENTRE_PX, rng),
    }


def lifted(lifter: Lifter, points: Array) -> HypothesisSequence:
    """The hypotheses of a clip of one person."""
    rows = len(points)
    known = np.isfinite(points).all(axis=-1)
    sequence = KeypointSequence(
        keypoints_px=points.astype(np.float32),
        confidence=known.astype(np.float32),
        skeleton=HUMAN36M17,
        frame=np.arange(rows),
        person=np.zeros(rows, np.int64),
        fps=30.0,
        intrinsics=np.array([[FOCAL_PX, 0.0, CENTRE_PX], [0.0, FOCAL_PX, CENTRE_PX], [0.0, 0.0, 1.0]]),
    )
    return lifter.lift(sequence)


def figure(quality: ClipQuality, name: str) -> float:
    """A figure, NaN for none."""
    value = getattr(quality, name)
    return float("nan") if value is None else float(value)


def print_percentiles(found: list[ClipQuality]) -> None:
    """Of good clips."""
    print("| figure | median | 90 % | 95 % | 99 % | largest |\n|---|--:|--:|--:|--:|--:|")
    for name in FIGURES:
        values = [figure(quality, name) for quality in found]
        cells = " | ".join(f"{np.nanpercentile(values, q):.4f}" for q in (50, 90, 95, 99, 100))
        print(f"| `{name}` | {cells} |")


def print_fault(name: str, found: list[ClipQuality]) -> None:
    """One row: medians, and flags in percent of the clips."""
    medians = " | ".join(f"{np.nanmedian([figure(quality, key) for quality in found]):.3f}" for key in FIGURES)
    raised = [{flag.name: flag.level.value for flag in quality_flags(quality)} for quality in found]
    flags = Counter(f"{flag} ({level})" for each in raised for flag, level in each.items())
    texts = ", ".join(f"{flag} {100 * count / len(found):.0f}" for flag, count in flags.most_common())
    share = 100 * sum(1 for each in raised if each) / len(found)
    print(f"| {name} | {medians} | {share:.0f} % | {texts} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="motion data .npz")
    parser.add_argument("--split", default="test")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--model", default="mdn_lifter")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lifter = load_lifter(arguments.model, threads=1)
    rng = np.random.default_rng(arguments.seed)
    truth = clips(arguments.data, arguments.split, arguments.clips, rng)
    results = [lifted(lifter, detected(points, rng)) for points in truth]
    print_percentiles([clip_quality(result) for result in results])
    print(f"\n| what was wrong | {' | '.join(FIGURES)} | flagged | flags, % of clips |")
    print("|---|" + "--:|" * len(FIGURES) + "--:|---|")
    for name, spoil in faults().items():
        print_fault(name, [clip_quality(lifted(lifter, spoil(points, rng))) for points in truth])
    everything = HypothesisSequence.concatenate(results)
    times = []
    for _ in range(5):
        start = time.process_time()
        clip_quality(everything)
        times.append(time.process_time() - start)
    print(f"\nquality: {1e6 * min(times) / len(everything):.2f} us of processor time a pose, best of {len(times)}")


if __name__ == "__main__":
    main()
