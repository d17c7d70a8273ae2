"""Joints by any spelling of their names."""

from itertools import product
from pathlib import Path

import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.joint_spelling import bare_name, spellings
from pose_mdn.formats.keypoints.named_joints import layout_of_own_names
from pose_mdn.skeletons import COCO17, HALPE26, SKELETONS

PATH = Path("clip.h5")
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
STYLES = {
    "left_wrist": lambda part, side, word: f"{word}_{part}",
    "LeftWrist": lambda part, side, word: f"{word.title()}{part.title()}",
    "wrist_left": lambda part, side, word: f"{part}_{word}",
    "wristL": lambda part, side, word: f"{part}{side.upper()}",
    "L.Wrist": lambda part, side, word: f"{side.upper()}.{part.title()}",
    "Lwri": lambda part, side, word: f"{side.upper()}{part[:3]}",
    "mixamorig:LeftWrist": lambda part, side, word: f"mixamorig:{word.title()}{part.title()}",
    "runner2_left_wrist": lambda part, side, word: f"runner2_{word}_{part}",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("skeleton", [None, HALPE26])
def test_limbs_are_found_in_every_style(style, skeleton) -> None:
    joints = list(product(PARTS, (("l", "left"), ("r", "right"))))
    names = [STYLES[style](part, side, word) for part, (side, word) in joints]
    layout = layout_of_own_names(PATH, [*names, "racket"] if "runner" not in style else names, skeleton)
    assert layout.skeleton is (skeleton or layout.skeleton)
    assert layout.confidence == (1.0 if skeleton else 0.9)
    for place, (part, (side, _)) in enumerate(joints):
        assert layout.columns[layout.skeleton.index(f"{side}_{part}")] == place
    assert layout.columns[layout.skeleton.index("r_knee")] == names.index(STYLES[style]("knee", "r", "right"))


def test_every_joint_of_every_layout_is_spelt_as_itself() -> None:
    own = {name for skeleton in SKELETONS.values() for name in skeleton.joint_names}
    known = {bare_name(name): name for name in own}
    assert len(known) == len(own)
    assert {bare: joint for bare, joint in spellings().items() if bare in known and known[bare] != joint} == {}
    assert set(spellings().values()) <= own


def test_one_side_is_never_taken_for_the_other() -> None:
    for bare, joint in spellings().items():
        if joint.startswith("l_"):
            assert spellings()[bare.replace("left", "right")] in {joint, "r_" + joint[2:]}
            assert not bare.startswith("right")
            assert not bare.endswith("right")


def test_names_without_sides_are_no_limbs() -> None:
    with pytest.raises(FormatError, match="got nose among the names nose, knee, ankle, wrist, elbow, shoulder"):
        layout_of_own_names(PATH, ["nose", "knee", "ankle", "wrist", "elbow", "shoulder"])


def test_of_two_names_for_one_joint_the_first_counts() -> None:
    names = [*COCO17.joint_names, "LeftWrist"]
    assert layout_of_own_names(PATH, names).columns[COCO17.index("l_wrist")] == COCO17.index("l_wrist")
