"""Deploying the graph without pose-mdn: onnxruntime and numpy are all it takes.

Undistorted pixels go in; poses in metres in the camera frame come out. What lies between (rays, canonical view,
network, root translation, reprojection error) is inside the graph, so other languages get the same numbers.

    python examples/02_onnxruntime_only.py [model.onnx]
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

DEFAULT_GRAPH = Path(__file__).parent.parent / "pose_mdn" / "bundles" / "mdn_lifter" / "1" / "model.onnx"

session = onnxruntime.InferenceSession(
    sys.argv[1] if len(sys.argv) > 1 else DEFAULT_GRAPH, providers=["CPUExecutionProvider"]
)
metadata = session.get_modelmeta().custom_metadata_map
joint_names = json.loads(metadata["joint_names"])
print(f"{metadata['name']}/{metadata['version']}: {metadata['description']}; licence {metadata['licence']}")

# Somebody who stands and is seen from the front: pixels of the joints that were seen; the others are left at 0.
SEEN_PX = {
    "pelvis": (960, 560), "thorax": (960, 330), "neck_nose": (960, 275),
    "r_hip": (925, 560), "r_knee": (920, 745), "r_ankle": (918, 915),
    "l_hip": (995, 560), "l_knee": (1000, 745), "l_ankle": (1003, 915),
    "l_shoulder": (1030, 340), "l_elbow": (1060, 455), "l_wrist": (1070, 560),
    "r_shoulder": (890, 340), "r_elbow": (858, 455), "r_wrist": (850, 560),
}  # fmt: skip
keypoints_px = np.zeros((1, len(joint_names), 2), np.float32)
confidence = np.zeros((1, len(joint_names)), np.float32)
for name, pixel in SEEN_PX.items():
    keypoints_px[0, joint_names.index(name)] = pixel
    confidence[0, joint_names.index(name)] = 1
intrinsics = np.array([[[1500, 0, 960], [0, 1500, 540], [0, 0, 1]]], np.float32)

names = [output.name for output in session.get_outputs()]
arrays = session.run(names, {"keypoints_px": keypoints_px, "confidence": confidence, "intrinsics": intrinsics})
answer = dict(zip(names, arrays, strict=True))

order = np.argsort(-answer["mixing_coefficients"][0])
for m in order:
    x, y, z = answer["root_translation_m"][0, m]
    print(
        f"{answer['mixing_coefficients'][0, m]:5.1%}  pelvis at ({x:+.2f}, {y:+.2f}, {z:.2f}) m, "
        f"reprojected within {answer['reprojection_error_px'][0, m]:.1f} px"
    )
print("\nmost probable pose, relative to the pelvis, metres:")
for name, position, (across, along) in zip(
    joint_names, answer["means_m"][0, order[0]], answer["std_m"][0, order[0]], strict=True
):
    print(f"  {name:12s} {position[0]:+.2f} {position[1]:+.2f} {position[2]:+.2f}   +- {across:.2f} / {along:.2f}")
