"""What time is worth to fused views: films of people kept from training, seen by two or four cameras.

    python benchmarks/fused_films.py MOTIONS.npz [--split test] [--films 24] [--seed 3]

Each film is 120 frames at 30 fps of one motion, seen by the first of four cameras placed about every quarter of a
turn, as in benchmarks/fusion.py, with its noise. Fused poses are turned into hypotheses of the first camera and
smoothed as `pose-mdn smooth` does. MPJPE of the likeliest hypothesis, relative to the pelvis, in mm; acceleration error
in m/s²; how many of its coordinates lie in its 68 % intervals. "in hindsight" chooses the best camera anew in every
frame. Needs torch and a motion data file (docs/training.md).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from fusion import Rig, camera_at, fuse, lift, observe, single_errors
from numpy.typing import NDArray

from pose_mdn import metrics
from pose_mdn.data.motion_file import read_motion_file
from pose_mdn.fusion import seen_by
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.video import AFTER_FUSION, smooth_sequence

FRAMES, FPS = 120, 30.0
QUARTERS = np.array([0.0, 1.6, 3.3, 4.6])
WITHIN_68 = 0.9945
"""Standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one film."""

    mpjpe_mm: float
    acceleration_error_m_s2: float
    within: float


def film_rigs(path: Path, split: str, films: int, seed: int) -> Iterator[Rig]:
    """Films of a split's motions, any part of any."""
    rng = np.random.default_rng(seed)
    motions = [record.pose_m[record.valid] for record in read_motion_file(path) if record.split == split]
    motions = [motion for motion in motions if len(motion) >= FRAMES]
    for _ in range(films):
        motion = motions[rng.integers(len(motions))]
        begin = rng.integers(len(motion) - FRAMES + 1)
        joints = motion[begin : begin + FRAMES].astype(np.float64)[..., [0, 2, 1]] * [1, -1, 1]
        joints[..., :2] -= joints[:, 0, :2].mean(axis=0)
        joints[..., 2] += 0.08 - joints[..., 2].min()
        azimuths = rng.uniform(-np.pi, np.pi) + QUARTERS + rng.uniform(-0.3, 0.3, len(QUARTERS))
        cameras = [camera_at(rng, azimuth, f"cam{number}") for number, azimuth in enumerate(azimuths, 1)]
        yield Rig(cameras=cameras, pixels=[observe(rng, camera, joints) for camera in cameras], truth=joints)


def figures(hypotheses: HypothesisSequence, camera: Camera, truth: NDArray[np.float64]) -> Figures:
    """Beside the truth."""
    rows, top = np.arange(len(hypotheses)), hypotheses.most_probable
    found = hypotheses.means_m[rows, top].astype(np.float64)
    right = camera.world_to_camera(truth)
    right = right - right[:, :1]
    off = np.abs((found - right) @ hypotheses.view_rotation.astype(np.float64))[:, 1:]
    return Figures(
        mpjpe_mm=float(metrics.mpjpe_mm(found, right).mean()),
        acceleration_error_m_s2=float(metrics.acceleration_error_mm_s2(found, right, FPS).mean()) / 1000.0,
        within=float((off < WITHIN_68 * hypotheses.std_m[rows, top][:, 1:, [0, 0, 1]]).mean()),
    )


def measure(lifter: Lifter, rigs: list[Rig], views: int) -> None:
    """Print a line for each way."""
    found: dict[str, list[Figures]] = {"fused": [], "fused, smoothed": []}
    best, hindsight = [], []
    for rig in rigs:
        cameras = rig.cameras[:views]
        lifted = [lift(lifter, camera, pixels) for camera, pixels in zip(cameras, rig.pixels, strict=False)]
        errors = single_errors(lifted, rig)
        best.append(errors.mean(axis=1).min())
        hindsight.append(errors.min(axis=0).mean())
        fused = replace(seen_by(fuse(lifted, cameras), cameras[0], lifted[0]), fps=FPS)
        for name, hypotheses in (("fused", fused), ("fused, smoothed", smooth_sequence(fused, AFTER_FUSION))):
            found[name].append(figures(hypotheses, cameras[0], rig.truth))
    print(f"{views} views: best camera {np.mean(best):.1f} mm, in hindsight {np.mean(hindsight):.1f}")
    for name, films in found.items():
        columns = [[getattr(film, field) for film in films] for field in Figures.__dataclass_fields__]
        error, acceleration, within = (float(np.mean(column)) for column in columns)
        print(f"  {name:16s} {error:6.1f} mm {acceleration:7.1f} m/s² {within:7.1%} in 68 %")


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description="What time is worth to fused views.")
    parser.add_argument("motions", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--films", type=int, default=24)
    parser.add_argument("--seed", type=int, default=3)
    given = parser.parse_args()
    lifter = load_lifter(threads=1)
    rigs = list(film_rigs(given.motions, given.split, given.films, given.seed))
    for views in (2, 4):
        measure(lifter, rigs, views)


if __name__ == "__main__":
    main()
