"""BlazePose-33, the layout of MediaPipe Pose."""

from pose_mdn.skeletons.skeleton import Skeleton

BLAZEPOSE33 = Skeleton.from_tree(
    "blazepose33",
    {
        "nose": None,
        "l_eye_inner": "nose",
        "l_eye": "l_eye_inner",
        "l_eye_outer": "l_eye",
        "r_eye_inner": "nose",
        "r_eye": "r_eye_inner",
        "r_eye_outer": "r_eye",
        "l_ear": "l_eye_outer",
        "r_ear": "r_eye_outer",
        "l_mouth": "nose",
        "r_mouth": "nose",
        "l_shoulder": "nose",
        "r_shoulder": "nose",
        "l_elbow": "l_shoulder",
        "r_elbow": "r_shoulder",
        "l_wrist": "l_elbow",
        "r_wrist": "r_elbow",
        "l_pinky": "l_wrist",
        "r_pinky": "r_wrist",
        "l_index": "l_wrist",
        "r_index": "r_wrist",
        "l_thumb": "l_wrist",
        "r_thumb": "r_wrist",
        "l_hip": "l_shoulder",
        "r_hip": "r_shoulder",
        "l_knee": "l_hip",
        "r_knee": "r_hip",
        "l_ankle": "l_knee",
        "r_ankle": "r_knee",
        "l_heel": "l_ankle",
        "r_heel": "r_ankle",
        "l_foot_index": "l_ankle",
        "r_foot_index": "r_ankle",
    },
)
"""MediaPipe Pose; left and right are the person's own, and neither neck nor pelvis is given."""
