"""How many modes lifted poses have, what finding them costs, and whether the highest is a better answer than the top-1.

    python benchmarks/modes.py [KEYPOINTS.npz ...] [--rows 1000] [--samples 40] [--model mdn_lifter]

Without files, the bundled clip, whose truth is unknown. Where `NAME.truth.npz` lies beside a file, errors are measured,
too. The search is repeated with samples of each row's own distribution as further starts; "new" counts rows in which
these led to a mode that the search had missed. 1m to 5m are the shares of poses with so many modes.
"""

import argparse
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions import PoseMixture, PoseModes, find_modes
from pose_mdn.evaluation.truth_files import read_truth, truth_path
from pose_mdn.formats import read_keypoints
from pose_mdn.inference import Lifter, load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence

REPEATS = 3
ROOT = 0


def measure(lifter: Lifter, path: Path, *, rows: int, samples: int) -> str:
    """One line of the table."""
    lifted = lifter.lift(read_keypoints(path))
    kept = np.flatnonzero(lifted.lifted)[:rows]
    hypotheses = lifted.take(kept)
    poses = PoseMixture(hypotheses)
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        modes = poses.modes()
        took.append(time.perf_counter() - began)
    starts = np.moveaxis(poses.mixture.sample(samples, np.random.default_rng(0)), 0, 1)
    searched = find_modes(poses.mixture, more_starts=starts)
    shares = np.bincount(modes.count, minlength=lifted.num_hypotheses + 1)[1:] / len(kept)
    counts = " ".join(f"{share:5.0%}" for share in shares)
    new = int((searched.count > modes.count).sum())
    line = f"{path.stem:16s} {len(kept):5d} {1e3 * min(took) / len(kept):6.2f} {new:4d}  {counts}"
    if truth_path(path).is_file():
        truth = read_truth(truth_path(path)).pose_camera_m[kept]
        line += "  " + _errors(hypotheses, modes, truth - truth[:, ROOT : ROOT + 1])
    return line


def _errors(hypotheses: HypothesisSequence, modes: PoseModes, truth: NDArray[np.floating]) -> str:
    means = _mpjpe_mm(hypotheses.means_m, truth)
    at_modes = _mpjpe_mm(modes.pose_m, truth)
    top = means[np.arange(len(means)), hypotheses.most_probable]
    figures = (top, at_modes[:, 0], means.min(1), np.nanmin(at_modes, axis=1))
    return " ".join(f"{figure.mean():7.1f}" for figure in figures)


def _mpjpe_mm(poses: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.floating]:
    return 1e3 * np.linalg.norm(poses - truth[:, None], axis=-1).mean(-1)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keypoints", nargs="*", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--model", default="mdn_lifter")
    given = parser.parse_args()
    lifter = load_lifter(given.model)
    header = f"{'file':16s} {'poses':>5s} {'ms':>6s} {'new':>4s}  " + " ".join(f"{k:>4d}m" for k in range(1, 6))
    print(header + "    top-1 highest best-of-M of modes (mm)")
    for path in given.keypoints or [Path(str(files("pose_mdn") / "samples" / "walking_clip.npz"))]:
        print(measure(lifter, path, rows=given.rows, samples=given.samples), flush=True)


if __name__ == "__main__":
    main()
