"""Layouts told from names, from numbers of joints and from how people look."""

from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.keypoints.layout_by_count import layout_of_count
from pose_mdn.formats.keypoints.named_joints import joint_names, layout_of_names
from pose_mdn.skeletons import BODY25, BODY25B, COCO17, HALPE26, HUMAN36M17, MPII16, SKELETONS

PATH = Path("a.json")
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
CROWDPOSE = [f"{side}_{part}" for part in LIMBS for side in ("left", "right")] + ["top_head", "neck"]
HUMAN36M = (
    *("root", "right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot", "spine", "thorax"),
    *("neck_base", "head", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
)


def told(joints: np.ndarray) -> tuple[str, float]:
    joints = joints.astype(np.float32)
    joints[joints[..., 2] == 0, :2] = np.nan
    layout = layout_of_count(PATH, joints, joints.shape[1])
    return layout.skeleton.name, layout.confidence


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_layout_is_found_by_its_own_names(skeleton) -> None:
    layout = layout_of_names(skeleton.joint_names)
    assert layout is not None
    assert layout.skeleton is skeleton
    assert layout.is_whole
    assert layout.confidence == 1


SPELLINGS = {
    "l_knee": ("left_knee", "LKnee", "lknee", "LeftKnee", "Left Knee", "knee_left", "Knee.L", "left-knee"),
    "r_ear": ("right_ear", "REar", "rear", "ear_r"),
    "r_big_toe": ("right_big_toe", "RBigToe", "r_bigtoe"),
    "mid_hip": ("MidHip", "mid_hip", "midhip", "hip"),
    "r_hip": ("right_hip", "RHip", "hip_right"),
    "head_top": ("head_top", "HeadTop", "top_head"),
}


@pytest.mark.parametrize(("joint", "spellings"), SPELLINGS.items(), ids=SPELLINGS)
def test_spellings(joint, spellings) -> None:
    assert joint_names(spellings) == [joint] * len(spellings)


def test_names_of_the_fields_data_sets() -> None:
    layout = layout_of_names(HUMAN36M)
    assert (layout.skeleton, layout.is_whole) == (HUMAN36M17, True)
    halpe = [*COCO17.joint_names, "head", "neck", "hip", *HALPE26.joint_names[20:]]
    assert layout_of_names([*halpe, *(f"face-{i}" for i in range(110))]).skeleton is HALPE26
    # Fourteen joints are nobody's number, but their names tell: head top and neck are where BODY_25B has them.
    layout = layout_of_names(CROWDPOSE)
    assert layout.skeleton is BODY25B
    assert layout.columns[BODY25B.index("head_top")] == 12
    assert layout.columns[BODY25B.index("nose")] == -1
    assert layout_of_names([f"tail{i}" for i in range(17)]) is None
    assert layout_of_names(["nose", "left_eye", "right_eye", "left_ear", "right_ear"]) is None


def test_a_head_is_not_taken_for_its_top_without_reason() -> None:
    assert "head_top" not in joint_names([*CROWDPOSE[:12], "head", "neck"])


@pytest.mark.parametrize("name", ["coco17", "halpe26", "blazepose33", "mpii16"])
def test_counts_are_less_sure_than_names(people, name) -> None:
    found, confidence = told(people(SKELETONS[name], seed=0, count=5))
    assert found == name
    assert 0.85 < confidence < 1


@pytest.mark.parametrize("skeleton", [BODY25, BODY25B])
def test_two_layouts_of_25_joints_are_the_surer_the_more_is_seen(people, skeleton) -> None:
    def average(missing: float) -> float:
        found = [told(people(skeleton, seed, 1, missing=missing)) for seed in range(40)]
        return float(np.mean([confidence if name == skeleton.name else 1 - confidence for name, confidence in found]))

    much, little, nothing = (average(missing) for missing in (0.0, 0.6, 1.0))
    assert much > 0.97
    assert much > little > 0.6
    assert nothing == pytest.approx(0.5)


def test_confidences_of_25_joints_are_honest(people) -> None:
    found = [
        (told(people(skeleton, seed, 1, missing=missing)), skeleton.name)
        for skeleton in (BODY25, BODY25B)
        for missing in (0.3, 0.5, 0.7)
        for seed in range(60)
    ]
    stated = np.array([confidence for (_, confidence), _ in found])
    right = np.array([name == truth for (name, _), truth in found])
    unsure = stated < 0.9
    assert unsure.sum() > 20
    assert abs(stated[unsure].mean() - right[unsure].mean()) < 0.12
    assert right[~unsure].mean() > 0.93


def test_people_of_17_joints_who_look_like_human36ms_are_doubted(people) -> None:
    assert told(people(COCO17, seed=0, count=5)) == ("coco17", 0.95)
    name, confidence = told(people(HUMAN36M17, seed=0, count=5))
    assert name == "coco17"
    assert confidence < 0.1


def test_unknown_counts_list_the_known() -> None:
    with pytest.raises(FormatError, match=r"16 \(mpii16\).*25 \(body25\).*133.* got 14;"):
        layout_of_count(PATH, np.empty((0, 14, 3), np.float32), 14)
    assert MPII16.num_joints == 16
