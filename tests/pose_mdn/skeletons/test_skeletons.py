"""Laws of the registry and of every layout's left-right symmetry."""

import pytest

from pose_mdn.errors import UnknownSkeletonError
from pose_mdn.skeletons import BODY25, BODY25B, COCO17, HALPE26, SKELETONS, Skeleton, get_skeleton
from pose_mdn.skeletons.skeleton import mirror_name

each_skeleton = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)

JOINT_COUNTS = {
    "human36m17": 17,
    "coco17": 17,
    "body25": 25,
    "body25b": 25,
    "halpe26": 26,
    "blazepose33": 33,
    "mpii16": 16,
}


def test_registry_holds_the_documented_layouts() -> None:
    assert {name: skeleton.num_joints for name, skeleton in SKELETONS.items()} == JOINT_COUNTS
    assert all(get_skeleton(name).name == name for name in SKELETONS)


@each_skeleton
def test_flipping_twice_is_the_identity(skeleton: Skeleton) -> None:
    flip = skeleton.flip_indices
    assert [flip[flip[i]] for i in range(skeleton.num_joints)] == list(range(skeleton.num_joints))


@each_skeleton
def test_sides_partition_the_joints(skeleton: Skeleton) -> None:
    middle = {i for i, mirrored in enumerate(skeleton.flip_indices) if i == mirrored}
    assert len(skeleton.left) == len(skeleton.right) > 0
    assert sorted([*skeleton.left, *skeleton.right, *middle]) == list(range(skeleton.num_joints))


@each_skeleton
def test_tree_mirrors_onto_itself(skeleton: Skeleton) -> None:
    parent_of = dict(zip(skeleton.joint_names, skeleton.parents, strict=True))
    for joint, parent in parent_of.items():
        assert parent_of[mirror_name(joint)] == (None if parent is None else mirror_name(parent))


@each_skeleton
def test_tree_has_one_root_that_every_joint_reaches(skeleton: Skeleton) -> None:
    reached = {skeleton.parent_indices.index(-1)}
    for _ in range(skeleton.num_joints):
        reached |= {child for parent, child in skeleton.bones if parent in reached}
    assert len(reached) == skeleton.num_joints
    assert len(skeleton.bones) == skeleton.num_joints - 1


def test_body25b_and_halpe26_begin_as_coco17() -> None:
    count = COCO17.num_joints
    assert BODY25B.joint_names[:count] == HALPE26.joint_names[:count] == COCO17.joint_names


@pytest.mark.parametrize(
    ("joint", "index"),
    [("neck", 1), ("l_shoulder", 5), ("mid_hip", 8), ("r_ankle", 11), ("l_ankle", 14), ("r_heel", 24)],
)
def test_body25_order_is_openposes(joint: str, index: int) -> None:
    assert BODY25.index(joint) == index


@pytest.mark.parametrize(
    ("asked", "suggested"), [("coco", "coco17"), ("BODY_25", "body25"), ("h36m17", "human36m17"), ("MPII", "mpii16")]
)
def test_unknown_name_suggests_the_nearest(asked: str, suggested: str) -> None:
    with pytest.raises(UnknownSkeletonError, match=f"did you mean '{suggested}'"):
        get_skeleton(asked)


def test_unknown_name_message_is_one_short_line() -> None:
    with pytest.raises(UnknownSkeletonError) as caught:
        get_skeleton("x\n" * 10_000)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_repeated_joint_or_unknown_parent_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown parents"):
        Skeleton.from_tree("bad", {"a": "b"})
    with pytest.raises(ValueError, match="repeated"):
        Skeleton(name="bad", joint_names=("a", "a"), parents=(None, None))
