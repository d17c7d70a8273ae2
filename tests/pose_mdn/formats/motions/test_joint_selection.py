"""Joints by name: namings, the user's map, and errors that say what to write."""

import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.joint_spelling import normalized_names
from pose_mdn.formats.motions.joint_names import NAMINGS
from pose_mdn.formats.motions.joint_selection import read_joint_map, select_joints
from pose_mdn.skeletons import HUMAN36M17


@pytest.mark.parametrize("naming", NAMINGS, ids=lambda naming: naming.name)
def test_every_naming_gives_all_joints_and_is_recognised(tmp_path, naming) -> None:
    assert naming.recipes.keys() == set(HUMAN36M17.joint_names)
    for choice in (0, -1):
        sources = {joint: recipes[choice] for joint, recipes in naming.recipes.items()}
        names = list(dict.fromkeys(name for recipe in sources.values() for name in recipe)) + list(naming.needs)
        selection = select_joints(tmp_path, names)
        found = [tuple(names[index] for index in indices) for indices in selection.sources]
        assert found == [sources[joint] for joint in HUMAN36M17.joint_names]


@pytest.mark.parametrize("naming", NAMINGS[1:], ids=lambda naming: naming.name)
def test_left_mirrors_right(naming) -> None:
    for joint, mirror in (("l_hip", "r_hip"), ("l_wrist", "r_wrist"), ("l_knee", "r_knee")):
        left = [source for recipe in naming.recipes[joint] for source in recipe]
        right = [source for recipe in naming.recipes[mirror] for source in recipe]
        assert not set(left) & set(right)
        assert len(left) == len(right)


def test_names_are_compared_without_prefixes_and_case() -> None:
    assert normalized_names(["Bip01", "Bip01 L Thigh", "Bip01 Head", "Bip01 R_Hand"])[1:] == ("lthigh", "head", "rhand")
    assert normalized_names(["mixamorig1:Hips", "x:LeftArm"]) == ("hips", "leftarm")
    assert normalized_names(["liu:LFHD", "liu:RFHD", "liu:C7", "liu:RKNE"]) == ("lfhd", "rfhd", "c7", "rkne")


RIG = [
    "Hips", "Spine", "Neck", "Head", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot",
    "LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm", "RightHand",
]  # fmt: skip


def test_a_missing_joint_is_named_with_the_names_there_are_and_the_fix(tmp_path) -> None:
    with pytest.raises(FormatError) as caught:
        select_joints(tmp_path / "a.bvh", RIG)
    message = str(caught.value)
    assert "expected joints for head_top" in message
    assert "named as by Mixamo and MotionBuilder" in message
    assert "LeftForeArm, LeftHand" in message
    assert "--joint-map FILE" in message
    assert 'head_top = "NAME"' in message


def test_the_map_adds_what_is_missing_and_overrides_what_is_there(tmp_path) -> None:
    (tmp_path / "map.toml").write_text('head_top = "head"\npelvis = ["Hips"]\nspine = ["Spine", "Neck"]\n')
    selection = select_joints(tmp_path / "a.bvh", RIG, read_joint_map(tmp_path / "map.toml"))
    of = dict(zip(HUMAN36M17.joint_names, selection.sources, strict=True))
    assert of["head_top"] == (RIG.index("Head"),)
    assert of["pelvis"] == (RIG.index("Hips"),)
    assert of["spine"] == (RIG.index("Spine"), RIG.index("Neck"))
    assert of["l_hip"] == (RIG.index("LeftUpLeg"),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('l_hips = "Hips"', "did you mean 'l_hip'"),
        ("l_hip = 3", "names for 'l_hip'"),
        ("l_hip = []", "names for 'l_hip'"),
        ("l_hip", "joint map in TOML"),
        ('l_hip = "LeftUpLeq"', "did you mean 'LeftUpLeg'"),
        ('l_hip = "Tail"', "it has Hips|did you mean"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(tmp_path, text, what) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(FormatError, match=what):
        select_joints(tmp_path / "a.bvh", RIG, read_joint_map(tmp_path / "map.toml"))


def test_two_people_in_one_file_are_told_apart_by_the_user(tmp_path) -> None:
    twins = [f"{who}:{name}" for who in ("anna", "ben") for name in [*RIG, "HeadTop"]]
    with pytest.raises(FormatError, match=r"'anna:.*' and 'ben:.*--joint-map"):
        select_joints(tmp_path / "a.c3d", twins)
