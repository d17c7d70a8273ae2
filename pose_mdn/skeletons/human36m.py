"""Human3.6M-17, the skeleton used inside."""

from pose_mdn.skeletons.skeleton import Skeleton

HUMAN36M17 = Skeleton.from_tree(
    "human36m17",
    {
        "pelvis": None,
        "r_hip": "pelvis",
        "r_knee": "r_hip",
        "r_ankle": "r_knee",
        "l_hip": "pelvis",
        "l_knee": "l_hip",
        "l_ankle": "l_knee",
        "spine": "pelvis",
        "thorax": "spine",
        "neck_nose": "thorax",
        "head_top": "neck_nose",
        "l_shoulder": "thorax",
        "l_elbow": "l_shoulder",
        "l_wrist": "l_elbow",
        "r_shoulder": "thorax",
        "r_elbow": "r_shoulder",
        "r_wrist": "r_elbow",
    },
)
"""The 17 joints of the Human3.6M benchmark, right side first; the pelvis is the root of every 3D pose."""
