"""Human3.6M-17, the skeleton used inside."""

from pose_mdn.skeletons.skeleton import Skeleton

HUMAN36M17 = Skeleton(
    name="human36m17",
    joint_names=(
        "pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "thorax", "neck_nose", "head_top",
        "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
    ),
    parents=(
        None, "pelvis", "r_hip", "r_knee", "pelvis", "l_hip", "l_knee", "pelvis", "spine", "thorax", "neck_nose",
        "thorax", "l_shoulder", "l_elbow", "thorax", "r_shoulder", "r_elbow",
    ),
)
"""The 17 joints of the Human3.6M benchmark, right side first; the pelvis is the root of every 3D pose."""
