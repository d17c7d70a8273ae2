"""Arrays in, weighted 3D hypotheses out. Needs nothing but `pip install pose-mdn`.

python examples/00_lift_arrays.py
"""

from importlib.resources import files

import numpy as np

import pose_mdn
from pose_mdn.distributions import PoseMixture
from pose_mdn.skeletons import HUMAN36M17

# Any detector's output will do: pixels (N, J, 2), confidence (N, J), and the name of its layout.
with np.load(str(files("pose_mdn") / "samples" / "walking_clip.npz")) as clip:
    keypoints_px, confidence, image_size = clip["keypoints"], clip["confidence"], clip["image_size"]

lifter = pose_mdn.load_lifter()
hypotheses = lifter.lift_arrays(keypoints_px, confidence, skeleton="blazepose33", image_size=tuple(image_size))

print(f"{hypotheses.lifted.sum()} of {len(hypotheses)} poses lifted by {hypotheses.model}")
print(f"camera {hypotheses.intrinsics_source}\n")

frame = int(np.flatnonzero(hypotheses.lifted)[60])
joint = HUMAN36M17.index("r_wrist")
print(f"frame {hypotheses.frame[frame]}, right wrist relative to the pelvis (x right, y down, z away from the camera):")
for m in np.argsort(-hypotheses.mixing_coefficients[frame]):
    x, y, z = hypotheses.means_m[frame, m, joint]
    across, along = hypotheses.std_m[frame, m, joint]
    print(
        f"  {hypotheses.mixing_coefficients[frame, m]:5.1%}  ({x:+.2f}, {y:+.2f}, {z:+.2f}) m"
        f"   +- {across * 100:.0f} cm across, {along * 100:.0f} cm along the line of sight"
    )

# The hypotheses are a probability density, so whatever is wanted of it can be drawn from it.
samples_m = PoseMixture(hypotheses).sample(500, np.random.default_rng(0))[:, frame, joint]
print(f"  500 samples of its depth: 10 % below {np.quantile(samples_m[:, 2], 0.1):+.2f} m, ", end="")
print(f"10 % above {np.quantile(samples_m[:, 2], 0.9):+.2f} m")
