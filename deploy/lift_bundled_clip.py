"""Lift the bundled clip through the server on this machine and check that the answer is a distribution over poses.

Run inside a container by `build_and_run_image.sh`; works wherever pose-mdn is installed and `pose-mdn serve` runs.
"""

import sys
from importlib.resources import files

import numpy as np

from pose_mdn.formats import read_keypoints
from pose_mdn_server.client import PoseLiftingClient


def main() -> None:
    """Lift, check, and print one line."""
    clip = read_keypoints(str(files("pose_mdn") / "samples" / "walking_clip.npz"))
    hypotheses = PoseLiftingClient().lift_sequence(clip)
    lifted = hypotheses.lifted
    if not lifted.any():
        sys.exit(f"no pose was lifted: {set(hypotheses.status.tolist())}")
    if not np.allclose(hypotheses.mixing_coefficients[lifted].sum(axis=1), 1.0, atol=1e-4):
        sys.exit("mixing coefficients do not sum to 1")
    if not np.isfinite(hypotheses.means_m[lifted]).all():
        sys.exit("a lifted pose holds NaN or infinity")
    error_px = np.median(hypotheses.reprojection_error_px[lifted].min(axis=1))
    sys.stdout.write(
        f"{hypotheses.model}: {lifted.sum()} of {len(clip)} poses lifted, {hypotheses.num_hypotheses} hypotheses each; "
        f"median reprojection error of the best {error_px:.1f} px\n"
    )


if __name__ == "__main__":
    main()
