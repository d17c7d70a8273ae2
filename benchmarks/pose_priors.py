"""What a prior over poses is worth, on poses of subjects that it has not seen.

python benchmarks/pose_priors.py MOTIONS.npz [--model pose_vae] [--split test] [--count 4000]

Poses are drawn evenly over frames with seed 0, and again evenly over distinct poses. Completion hides joints of 300
poses; denoising shakes them by 30 mm.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np

from pose_mdn.evaluation.pose_priors import measure_prior, real_poses
from pose_mdn.inference import complete_poses, denoise_poses, load_pose_prior
from pose_mdn.skeletons import HUMAN36M17

HIDDEN = {
    "a wrist": ("r_wrist",),
    "an arm": ("r_elbow", "r_wrist"),
    "a leg": ("l_knee", "l_ankle"),
    "both legs": ("l_knee", "l_ankle", "r_knee", "r_ankle"),
    "spine, head": ("spine", "head_top"),
}
NOISE_M = 0.03
FITTED = 300
MM = 1000.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="pose_vae")
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=4000)
    arguments = parser.parse_args()
    prior = load_pose_prior(arguments.model, threads=1)
    for balanced in (False, True):
        poses = real_poses(arguments.data, arguments.split, count=arguments.count, seed=0, balanced=balanced)
        print(f"{arguments.split}, {len(poses)} poses, evenly over {'distinct poses' if balanced else 'frames'}")
        print(json.dumps(dataclasses.asdict(measure_prior(prior, poses)), indent=1))
    poses = poses[:FITTED]
    rng = np.random.default_rng(0)
    mean = prior.decode(np.zeros((1, prior.latent_dim)))
    for name, joints in HIDDEN.items():
        index = [HUMAN36M17.index(joint) for joint in joints]
        holes = poses.copy()
        holes[:, index] = np.nan
        errors = [np.linalg.norm((found - poses)[:, index], axis=-1) for found in (complete_poses(prior, holes), mean)]
        print(f"without {name:12s} {errors[0].mean() * MM:6.1f} mm (mean pose {errors[1].mean() * MM:.1f})")
    noisy = poses + NOISE_M * rng.standard_normal(poses.shape)
    noisy[:, 0] = 0.0
    before = np.linalg.norm(noisy - poses, axis=-1).mean() * MM
    after = np.linalg.norm(denoise_poses(prior, noisy, noise_std_m=NOISE_M) - poses, axis=-1).mean() * MM
    print(f"noise of {NOISE_M * MM:.0f} mm: {before:.1f} mm before, {after:.1f} mm after")


if __name__ == "__main__":
    main()
