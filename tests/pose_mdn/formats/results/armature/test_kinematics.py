"""Forward kinematics, which reads motion files, undoes inverse kinematics, which writes them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.formats.motions.forward_kinematics import joint_positions
from pose_mdn.formats.results.armature.bone_mesh import bone_mesh
from pose_mdn.formats.results.armature.kinematics import CHILDREN, joint_motion, rest_direction
from pose_mdn.skeletons import HUMAN36M17


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 5), flat=st.booleans())
def test_joints_are_where_rotations_and_translations_put_them(seed, frames, flat) -> None:
    positions = np.random.default_rng(seed).normal(size=(frames, 17, 3)) * [1, 1, 0 if flat else 1]
    motion = joint_motion(positions)
    matrices = [Rotation.from_quat(np.roll(motion.rotations[:, joint], -1, axis=1)).as_matrix() for joint in range(17)]
    moves = [motion.translations_m[:, joint] for joint in range(17)]
    np.testing.assert_allclose(joint_positions(HUMAN36M17.parent_indices, matrices, moves), positions, atol=1e-9)


@given(seed=st.integers(0, 2**32 - 1))
def test_single_bones_lie_along_their_rest_direction_in_their_parents_frame(seed) -> None:
    positions = np.random.default_rng(seed).normal(size=(4, 17, 3))
    motion = joint_motion(positions)
    for parent, child in HUMAN36M17.bones:
        if len(CHILDREN[parent]) == 1:
            length = np.linalg.norm(positions[:, child] - positions[:, parent], axis=1)
            expected = length[:, None] * rest_direction(HUMAN36M17.joint_names[child])
            np.testing.assert_allclose(motion.translations_m[:, child], expected, atol=1e-9)


def test_a_t_pose_that_looks_along_z_is_no_rotation() -> None:
    positions = np.zeros((1, 17, 3))
    for parent, child in HUMAN36M17.bones:
        positions[:, child] = positions[:, parent] + 0.3 * rest_direction(HUMAN36M17.joint_names[child])
    motion = joint_motion(positions + np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(motion.rotations, np.tile([1, 0, 0, 0], (1, 17, 1)), atol=1e-12)
    np.testing.assert_allclose(motion.translations_m[0, 0], [1, 2, 3])


@given(seed=st.integers(0, 2**32 - 1), no_length=st.booleans())
def test_triangles_of_bones_look_outwards(seed, no_length) -> None:
    """Counterclockwise from outside, as glTF wants them; bones without a length have normals all the same."""
    offsets = np.random.default_rng(seed).normal(0, 0.3, (17, 3)) * (not no_length)
    mesh = bone_mesh(offsets)
    corners = mesh.positions_m.reshape(33, 8, 3, 3).astype(float)
    normals = mesh.normals.reshape(33, 8, 3, 3)[:, :, 0]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    area = np.cross(corners[:, :, 1] - corners[:, :, 0], corners[:, :, 2] - corners[:, :, 0])
    outwards = corners.mean(axis=2) - corners.mean(axis=(1, 2))[:, None]
    large = np.linalg.norm(area, axis=-1) > 1e-7
    least = -1e-12 if no_length else 0.0  # without a length they are flat, and look along themselves
    assert (((area * outwards).sum(-1) > least) | ~large).all()
    assert large[0].all(), "the pelvis is seen in any case"
