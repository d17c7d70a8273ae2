"""MPII-16, the layout of the MPII Human Pose benchmark."""

from pose_mdn.skeletons.skeleton import Skeleton

MPII16 = Skeleton.from_tree(
    "mpii16",
    {
        "r_ankle": "r_knee",
        "r_knee": "r_hip",
        "r_hip": "pelvis",
        "l_hip": "pelvis",
        "l_knee": "l_hip",
        "l_ankle": "l_knee",
        "pelvis": None,
        "thorax": "pelvis",
        "upper_neck": "thorax",
        "head_top": "upper_neck",
        "r_wrist": "r_elbow",
        "r_elbow": "r_shoulder",
        "r_shoulder": "thorax",
        "l_shoulder": "thorax",
        "l_elbow": "l_shoulder",
        "l_wrist": "l_elbow",
    },
)
"""The MPII joints (stacked hourglass and its heirs): no face, but pelvis, thorax and head top."""
