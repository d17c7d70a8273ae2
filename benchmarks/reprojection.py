"""How many hypotheses are checked against their pictures per second, on one core.

OMP_NUM_THREADS=1 python benchmarks/reprojection.py [--rounds 5]

The bundled clip is lifted once and repeated until there are 20,000 hypotheses. Times are processor times, which other
programs disturb less than the clock; the best of the rounds is printed beside the median.
"""

import argparse
import statistics
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from pose_mdn.formats import read_keypoints
from pose_mdn.geometry.camera import Camera
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import CheckSettings, check_reprojection

HYPOTHESES = 20_000
LENS = np.array([-0.12, 0.03, 1e-3, -8e-4, 0.01])


def many_hypotheses() -> HypothesisSequence:
    """The clip's, again and again."""
    clip = load_lifter().lift(read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz"))))
    rows = HYPOTHESES // clip.num_hypotheses
    return clip.take(np.arange(rows) % len(clip))


def _through_a_lens(hypotheses: HypothesisSequence) -> HypothesisSequence:
    """The same people in a picture that a lens has drawn."""
    camera = Camera(intrinsics=hypotheses.intrinsics[0], distortion=LENS)
    rays = (hypotheses.keypoints_px - camera.intrinsics[:2, 2]) / np.diag(camera.intrinsics)[:2]
    points = camera.project(np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], axis=-1))
    return replace(hypotheses, distortion=LENS, keypoints_px=points.astype(np.float32))


def measure(hypotheses: HypothesisSequence, settings: CheckSettings, rounds: int) -> list[float]:
    """Hypotheses per second, each round."""
    rates = []
    for _ in range(rounds):
        start = time.process_time()
        check_reprojection(hypotheses, settings=settings)
        rates.append(len(hypotheses) * hypotheses.num_hypotheses / (time.process_time() - start))
    return rates


def main() -> None:
    """Command line; see the head of this file."""
    parser = argparse.ArgumentParser(description="Hypotheses checked per second.")
    parser.add_argument("--rounds", type=int, default=5, help="how often to measure")
    rounds = parser.parse_args().rounds
    hypotheses = many_hypotheses()
    cases = {
        "pinhole": (hypotheses, CheckSettings()),
        "pinhole, root estimated": (hypotheses, CheckSettings(estimate_root=True)),
        "lens of five coefficients": (_through_a_lens(hypotheses), CheckSettings()),
    }
    for name, (sequence, settings) in cases.items():
        rates = measure(sequence, settings, rounds)
        print(f"{name:28s} {max(rates):9,.0f} hypotheses/s (median {statistics.median(rates):,.0f})")


if __name__ == "__main__":
    main()
