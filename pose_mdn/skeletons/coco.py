"""COCO-17 and its extension Halpe26."""

from pose_mdn.skeletons.skeleton import Skeleton

COCO17 = Skeleton.from_tree(
    "coco17",
    {
        "nose": None,
        "l_eye": "nose",
        "r_eye": "nose",
        "l_ear": "l_eye",
        "r_ear": "r_eye",
        "l_shoulder": "nose",
        "r_shoulder": "nose",
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
    },
)
"""The COCO person keypoints (MMPose, ViTPose, AlphaPose, YOLO-pose, MoveNet): no neck and no pelvis."""

HALPE26 = Skeleton.from_tree(
    "halpe26",
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
        "l_hip": "mid_hip",
        "r_hip": "mid_hip",
        "l_knee": "l_hip",
        "r_knee": "r_hip",
        "l_ankle": "l_knee",
        "r_ankle": "r_knee",
        "head_top": "neck",
        "neck": "mid_hip",
        "mid_hip": None,
        "l_big_toe": "l_ankle",
        "r_big_toe": "r_ankle",
        "l_small_toe": "l_big_toe",
        "r_small_toe": "r_big_toe",
        "l_heel": "l_ankle",
        "r_heel": "r_ankle",
    },
)
"""Halpe full-body keypoints (AlphaPose, RTMPose body26): COCO-17, then head top, neck, mid-hip and the feet."""
