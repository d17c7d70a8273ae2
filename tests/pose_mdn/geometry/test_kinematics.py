import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.geometry.kinematics import (
    bone_classes,
    bone_directions_and_lengths,
    bone_vectors,
    chain_matrix,
    class_mean_matrix,
)
from pose_mdn.skeletons import HUMAN36M17, SKELETONS


@given(st.integers(0, 2**32 - 1))
def test_chain_of_bones_gives_the_joints_back(seed):
    pose = np.random.default_rng(seed).normal(size=(2, 17, 3))
    pose -= pose[:, :1]
    np.testing.assert_allclose(chain_matrix(HUMAN36M17) @ bone_vectors(pose, HUMAN36M17), pose, atol=1e-6)


def test_directions_are_unit_and_lengths_positive():
    pose = np.random.default_rng(0).normal(size=(2, 17, 3))
    directions, lengths = bone_directions_and_lengths(pose, HUMAN36M17)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=-1), 1.0)
    np.testing.assert_allclose(directions * lengths[..., None], bone_vectors(pose, HUMAN36M17))


def test_mirrored_bones_share_a_class():
    for skeleton in SKELETONS.values():
        names, index = bone_classes(skeleton)
        by_child = {skeleton.joint_names[child]: names[k] for (_, child), k in zip(skeleton.bones, index, strict=True)}
        for left, right in zip(skeleton.left, skeleton.right, strict=True):
            if skeleton.parents[left] is not None:
                assert by_child[skeleton.joint_names[left]] == by_child[skeleton.joint_names[right]]
    assert len(bone_classes(HUMAN36M17)[0]) == 10


def test_class_means_leave_symmetric_numbers_alone_and_average_the_others():
    _, index = bone_classes(HUMAN36M17)
    means = class_mean_matrix(HUMAN36M17)
    per_class = np.arange(10.0)
    np.testing.assert_allclose(means @ per_class[list(index)], per_class)
    np.testing.assert_allclose(means.sum(axis=1), 1.0)
