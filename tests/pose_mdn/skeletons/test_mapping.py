"""Laws of the mapping into Human3.6M-17."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.skeletons import (
    COCO17,
    HUMAN36M17,
    SKELETONS,
    Skeleton,
    mapping_matrix,
    mapping_table,
    to_human36m17,
)

each_skeleton = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)

# What each layout cannot give; everything else must come from its joints.
MISSING = {
    "human36m17": set(),
    "coco17": {"spine", "head_top"},
    "body25": {"spine", "head_top"},
    "body25b": {"spine"},
    "halpe26": {"spine"},
    "blazepose33": {"spine", "head_top"},
    "mpii16": {"spine"},
}


def observe(skeleton: Skeleton, seed: int, n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Random people in an HD picture with about one joint in five missing, in one of the ways a joint can be."""
    random = np.random.default_rng(seed)
    keypoints = random.uniform(0, 1080, (n, skeleton.num_joints, 2)).astype(np.float32)
    confidence = random.uniform(0.1, 1, (n, skeleton.num_joints)).astype(np.float32)
    way = random.integers(0, 15, confidence.shape)
    confidence[way == 0] = 0.0
    confidence[way == 1] = np.nan
    keypoints[way == 2] = np.nan
    return keypoints, confidence


@each_skeleton
def test_rows_sum_to_one_or_are_empty(skeleton: Skeleton) -> None:
    for target, row in zip(HUMAN36M17.joint_names, mapping_matrix(skeleton), strict=True):
        assert (row >= 0).all()
        assert row.sum() == (0.0 if target in MISSING[skeleton.name] else 1.0), target


def test_human36m17_maps_to_itself() -> None:
    np.testing.assert_array_equal(mapping_matrix(HUMAN36M17), np.eye(17))


def test_shared_matrix_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        mapping_matrix(COCO17)[0, 0] = 1.0


@pytest.mark.parametrize(
    ("name", "target", "sources"),
    [
        ("coco17", "pelvis", {"l_hip": 0.5, "r_hip": 0.5}),
        ("body25", "pelvis", {"mid_hip": 1.0}),
        ("body25b", "pelvis", {"l_hip": 0.5, "r_hip": 0.5}),
        ("halpe26", "pelvis", {"mid_hip": 1.0}),
        ("mpii16", "pelvis", {"pelvis": 1.0}),
        ("blazepose33", "thorax", {"l_shoulder": 0.5, "r_shoulder": 0.5}),
        ("body25b", "thorax", {"neck": 1.0}),
        ("halpe26", "head_top", {"head_top": 1.0}),
        ("mpii16", "neck_nose", {"upper_neck": 1.0}),
        ("body25", "neck_nose", {"nose": 1.0}),
    ],
)
def test_trunk_joints_come_from_the_layouts_own(name: str, target: str, sources: dict[str, float]) -> None:
    assert mapping_table(SKELETONS[name])[target] == sources


@each_skeleton
def test_limbs_keep_their_names(skeleton: Skeleton) -> None:
    table = mapping_table(skeleton)
    for target in HUMAN36M17.joint_names:
        if target.startswith(("l_", "r_")):
            assert table[target] == {target: 1.0}


@each_skeleton
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_target_is_missing_exactly_when_a_source_is(skeleton: Skeleton, seed: int) -> None:
    keypoints, confidence = observe(skeleton, seed)
    mapped, mapped_confidence = to_human36m17(keypoints, confidence, skeleton)
    seen = (np.nan_to_num(confidence) > 0) & np.isfinite(keypoints).all(-1)
    for index, (target, sources) in enumerate(mapping_table(skeleton).items()):
        columns = [skeleton.index(source) for source in sources]
        expected = seen[:, columns].all(1) if columns else np.zeros(len(keypoints), bool)
        np.testing.assert_array_equal(mapped_confidence[:, index] > 0, expected, err_msg=target)
        np.testing.assert_array_equal(np.isfinite(mapped[:, index]).all(-1), expected, err_msg=target)
        weights = np.array(list(sources.values()), np.float32)
        np.testing.assert_allclose(
            mapped_confidence[expected, index], confidence[expected][:, columns] @ weights, rtol=1e-6
        )


@each_skeleton
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_mapping_commutes_with_flip(skeleton: Skeleton, seed: int) -> None:
    keypoints, confidence = observe(skeleton, seed)
    mirror = np.array([-1.0, 1.0], np.float32)
    flip, flip17 = list(skeleton.flip_indices), list(HUMAN36M17.flip_indices)
    flipped_first = to_human36m17(keypoints[:, flip] * mirror, confidence[:, flip], skeleton)
    flipped_last = to_human36m17(keypoints, confidence, skeleton)
    np.testing.assert_allclose(flipped_first[0], flipped_last[0][:, flip17] * mirror, rtol=1e-5)
    np.testing.assert_allclose(flipped_first[1], flipped_last[1][:, flip17], rtol=1e-5)


@each_skeleton
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_mapping_commutes_with_affine_maps_of_the_picture(skeleton: Skeleton, seed: int) -> None:
    keypoints, confidence = observe(skeleton, seed)
    random = np.random.default_rng(seed)
    linear, shift = random.normal(size=(2, 2)).astype(np.float32), random.normal(0, 100, 2).astype(np.float32)
    moved_first, confidence_first = to_human36m17(keypoints @ linear.T + shift, confidence, skeleton)
    mapped, confidence_last = to_human36m17(keypoints, confidence, skeleton)
    np.testing.assert_allclose(moved_first, mapped @ linear.T + shift, rtol=1e-4, atol=1e-2)
    np.testing.assert_array_equal(confidence_first, confidence_last)


def test_nobody_maps_to_nobody() -> None:
    mapped, confidence = to_human36m17(np.zeros((0, 17, 2)), np.zeros((0, 17)), COCO17)
    assert mapped.shape == (0, 17, 2)
    assert confidence.shape == (0, 17)
    assert mapped.dtype == confidence.dtype == np.float32


@pytest.mark.parametrize(
    ("keypoints_shape", "confidence_shape", "field"),
    [((2, 25, 2), (2, 25), "keypoints"), ((17, 2), (17,), "keypoints"), ((2, 17, 2), (17, 2), "confidence")],
)
def test_wrong_shapes_name_their_field(keypoints_shape: tuple, confidence_shape: tuple, field: str) -> None:
    with pytest.raises(InputError, match="expected shape") as caught:
        to_human36m17(np.zeros(keypoints_shape), np.zeros(confidence_shape), COCO17)
    assert caught.value.field == field


@each_skeleton
def test_the_rule_of_mmpose_gives_every_joint(skeleton: Skeleton) -> None:
    matrix = mapping_matrix(skeleton, "mmpose")
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    assert (matrix >= 0).all()
    where_given = mapping_matrix(skeleton).any(axis=1)
    np.testing.assert_array_equal(matrix[where_given], mapping_matrix(skeleton)[where_given])
    flip, flip17 = list(skeleton.flip_indices), list(HUMAN36M17.flip_indices)
    np.testing.assert_array_equal(matrix[:, flip], matrix[flip17])


def test_the_rule_of_mmpose_is_that_of_mmpose() -> None:
    x = np.random.default_rng(0).uniform(0, 1000, (4, 17, 2)).astype(np.float32)
    y = np.empty_like(x)  # by numbers, as mmpose and MotionBERT write it
    y[:, 0] = (x[:, 11] + x[:, 12]) / 2
    y[:, 8] = (x[:, 5] + x[:, 6]) / 2
    y[:, 7] = (y[:, 0] + y[:, 8]) / 2
    y[:, 10] = (x[:, 1] + x[:, 2]) / 2
    y[:, [1, 2, 3, 4, 5, 6, 9, 11, 12, 13, 14, 15, 16]] = x[:, [12, 14, 16, 11, 13, 15, 0, 5, 7, 9, 6, 8, 10]]
    mapped, _ = to_human36m17(x, np.ones((4, 17), np.float32), COCO17, "mmpose")
    np.testing.assert_allclose(mapped, y, rtol=1e-5)
