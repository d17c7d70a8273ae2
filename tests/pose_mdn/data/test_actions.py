import numpy as np
import pytest

from pose_mdn.data.actions import ACTION_CLASSES, action_classes, held_out_motions
from pose_mdn.skeletons import HUMAN36M17


def _class(text: str, pose: np.ndarray) -> str:
    found = int(action_classes(np.array([text]), pose[None])[0])
    return "none" if found < 0 else ACTION_CLASSES[found]


def _seated(pose: np.ndarray) -> np.ndarray:
    pose = pose.copy()
    for side in "lr":
        hip, knee, ankle = (HUMAN36M17.index(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        pose[knee] = pose[hip] + np.array([0.0, 0.0, 0.43])
        pose[ankle] = pose[knee] - np.array([0.0, 0.43, 0.0])
    return pose


@pytest.fixture
def standing(standing_poses) -> np.ndarray:
    return standing_poses[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("walk, veer left", "walking"),
        ("Sit Chair Idle", "standing"),
        ("salsa dance", "dancing"),
        ("run/jog, sudden stop", "running"),
        ("climb ladder", "climbing"),
        ("whale (human subject)", "none"),
    ],
)
def test_texts_say_what_people_do(standing, text, expected):
    assert _class(text, standing) == expected


def test_a_pose_must_show_what_the_text_says(standing):
    assert _class("sit on high stool, stand up", _seated(standing)) == "sitting"
    assert _class("sit on high stool, stand up", standing) == "none"
    assert _class("Front Kick", standing) == "none"


def test_every_fourth_recording_of_a_class_is_held_out():
    classes = np.repeat([0, 0, 0, 0, 1, -1], 2)
    motion = np.repeat(np.arange(6), 2)
    assert np.unique(motion[held_out_motions(classes, motion)]).tolist() == [3]
