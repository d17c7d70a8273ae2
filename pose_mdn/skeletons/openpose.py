"""The two 25-joint layouts of OpenPose."""

from pose_mdn.skeletons.skeleton import Skeleton

BODY25 = Skeleton.from_tree(
    "body25",
    {
        "nose": "neck",
        "neck": "mid_hip",
        "r_shoulder": "neck",
        "r_elbow": "r_shoulder",
        "r_wrist": "r_elbow",
        "l_shoulder": "neck",
        "l_elbow": "l_shoulder",
        "l_wrist": "l_elbow",
        "mid_hip": None,
        "r_hip": "mid_hip",
        "r_knee": "r_hip",
        "r_ankle": "r_knee",
        "l_hip": "mid_hip",
        "l_knee": "l_hip",
        "l_ankle": "l_knee",
        "r_eye": "nose",
        "l_eye": "nose",
        "r_ear": "r_eye",
        "l_ear": "l_eye",
        "l_big_toe": "l_ankle",
        "l_small_toe": "l_big_toe",
        "l_heel": "l_ankle",
        "r_big_toe": "r_ankle",
        "r_small_toe": "r_big_toe",
        "r_heel": "r_ankle",
    },
)
"""OpenPose's default model; the neck is the middle of the shoulders, the mid-hip the middle of the hips."""

BODY25B = Skeleton.from_tree(
    "body25b",
    {
        "nose": "neck",
        "l_eye": "nose",
        "r_eye": "nose",
        "l_ear": "l_eye",
        "r_ear": "r_eye",
        "l_shoulder": "neck",
        "r_shoulder": "neck",
        "l_elbow": "l_shoulder",
        "r_elbow": "r_shoulder",
        "l_wrist": "l_elbow",
        "r_wrist": "r_elbow",
        "l_hip": "l_shoulder",
        "r_hip": "r_shoulder",
        "l_knee": "l_hip",
        "r_knee": "r_hip",
        "l_ankle": "l_knee",
        "r_ankle": "r_knee",
        "neck": None,
        "head_top": "neck",
        "l_big_toe": "l_ankle",
        "l_small_toe": "l_big_toe",
        "l_heel": "l_ankle",
        "r_big_toe": "r_ankle",
        "r_small_toe": "r_big_toe",
        "r_heel": "r_ankle",
    },
)
"""OpenPose's later, more accurate model: COCO-17 first, then neck, head top and the feet; no mid-hip."""
