import numpy as np
import pytest

from pose_mdn.refinement.tree_system import TreeFactor, TreeSystem, inverse_of_symmetric
from pose_mdn.skeletons import HUMAN36M17

PARENT = HUMAN36M17.parent_indices
JOINTS = range(1, HUMAN36M17.num_joints)


def _system(count: int, seed: int) -> TreeSystem:
    """Random springs along bones, and springs of rank two between every joint and the shared unknown."""
    rng = np.random.default_rng(seed)
    diagonal, tie, border = (np.zeros((3, 3, HUMAN36M17.num_joints, count)) for _ in range(3))
    diagonal += 0.2 * np.eye(3)[..., None, None]
    corner = 0.1 * np.eye(3)[..., None] * np.ones(count)
    for joint in JOINTS:
        rows = rng.normal(size=(2, 3, count))
        spring = np.einsum("kib,kjb->ijb", rows, rows)
        diagonal[:, :, joint] += spring
        border[:, :, joint] += spring
        corner += spring
        bone = rng.normal(size=(3, count))
        diagonal[:, :, joint] += bone[:, None] * bone
        if PARENT[joint] > 0:
            diagonal[:, :, PARENT[joint]] += bone[:, None] * bone
            tie[:, :, joint] = -bone[:, None] * bone
    return TreeSystem(diagonal=diagonal, tie=tie, border=border, corner=corner)


def _dense(system: TreeSystem, number: int) -> np.ndarray:
    def place(joint: int) -> slice:
        return slice(3 * (joint - 1), 3 * joint)

    matrix = np.zeros((51, 51))
    for joint in JOINTS:
        matrix[place(joint), place(joint)] = system.diagonal[:, :, joint, number]
        matrix[place(joint), 48:] = system.border[:, :, joint, number]
        matrix[48:, place(joint)] = system.border[:, :, joint, number].T
        if PARENT[joint] > 0:
            matrix[place(joint), place(PARENT[joint])] = system.tie[:, :, joint, number]
            matrix[place(PARENT[joint]), place(joint)] = system.tie[:, :, joint, number].T
    matrix[48:, 48:] = system.corner[:, :, number]
    return matrix


@pytest.mark.parametrize("seed", range(3))
def test_everything_is_what_dense_algebra_says(seed: int) -> None:
    system = _system(4, seed)
    dense = [_dense(system, number) for number in range(4)]
    factor = TreeFactor(system)
    rng = np.random.default_rng(seed)
    joints, shared = rng.normal(size=(3, 17, 4)), rng.normal(size=(3, 4))
    flat = np.concatenate([joints[:, 1:].transpose(2, 1, 0).reshape(4, -1), shared.T], axis=1)
    solved, solved_shared = factor.solve(joints, shared)
    covariances = factor.covariances()
    for number, matrix in enumerate(dense):
        inverse, expected = np.linalg.inv(matrix), np.linalg.solve(matrix, flat[number])
        np.testing.assert_allclose(solved[:, 1:, number].T.ravel(), expected[:48], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(solved_shared[:, number], expected[48:], rtol=1e-8, atol=1e-9)
        assert factor.log_determinant[number] == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-9)
        for joint in JOINTS:
            at = slice(3 * (joint - 1), 3 * joint)
            np.testing.assert_allclose(covariances[:, :, joint, number], inverse[at, at], rtol=1e-8, atol=1e-9)
    assert not solved[:, 0].any()


def test_the_pelvis_is_the_origin_whatever_stands_in_its_blocks() -> None:
    system, other = _system(2, 5), _system(2, 5)
    for array in (other.diagonal, other.tie, other.border):
        array[:, :, 0] = 7.0
    right, shared = np.ones((3, 17, 2)), np.ones((3, 2))
    one, two = TreeFactor(system).solve(right.copy(), shared), TreeFactor(other).solve(right.copy(), shared)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])


def test_a_broken_system_spoils_no_other_one() -> None:
    system, other = _system(3, 6), _system(3, 6)
    other.diagonal[..., 1] = np.nan
    one, two = TreeFactor(system).covariances(), TreeFactor(other).covariances()
    np.testing.assert_array_equal(one[..., [0, 2]], two[..., [0, 2]])
    assert np.isnan(two[:, :, 1:, 1]).all()


def test_inverses_of_symmetric_matrices() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 5, 7))
    matrix = np.einsum("ikb,jkb->ijb", rows, rows)
    inverse, determinant = inverse_of_symmetric(matrix)
    np.testing.assert_allclose(np.moveaxis(inverse, -1, 0), np.linalg.inv(np.moveaxis(matrix, -1, 0)), rtol=1e-8)
    np.testing.assert_allclose(determinant, np.linalg.det(np.moveaxis(matrix, -1, 0)), rtol=1e-9)
