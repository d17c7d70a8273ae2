"""How much a real detector's keypoints shake from frame to frame, by its own confidence.

    python benchmarks/detector_jitter.py [KEYPOINTS.npz]

People move smoothly, so third differences over time are nearly all noise: of white noise with standard deviation s they
have sqrt(20) s. Sizes are in parts of the person's size, the diagonal of the box around the joints. What the detector
gets wrong in every frame alike does not show here.
"""

import itertools
import sys
from pathlib import Path

import numpy as np

import pose_mdn
from pose_mdn.formats import read_keypoints

LEVELS = (0.0, 0.5, 0.8, 0.95, 0.99, 1.01)
NORMAL_MAD = 0.6745
CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"


def main() -> None:
    """Print the table."""
    sequence = read_keypoints(Path(sys.argv[1]) if len(sys.argv) > 1 else CLIP)
    keypoints, confidence = sequence.keypoints_px, sequence.confidence
    seen = np.isfinite(keypoints).all(axis=(1, 2))
    keypoints, confidence = keypoints[seen], confidence[seen]
    size = float(np.median(np.linalg.norm(np.ptp(keypoints, axis=1), axis=-1)))
    shake = np.diff(keypoints, n=3, axis=0) / np.sqrt(20.0) / size
    print("| confidence | joints | standard deviation, % of size | beyond 4 standard deviations |\n|---|--:|--:|--:|")
    for low, high in itertools.pairwise(LEVELS):
        chosen = shake[(confidence[1:-2] >= low) & (confidence[1:-2] < high)]
        std = np.median(np.abs(chosen)) / NORMAL_MAD
        tail = np.mean(np.abs(chosen) > 4.0 * std)
        print(f"| {low:.2f} - {min(high, 1.0):.2f} | {len(chosen)} | {100 * std:.2f} | {100 * tail:.1f} % |")


if __name__ == "__main__":
    main()
