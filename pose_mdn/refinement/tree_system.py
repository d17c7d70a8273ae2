r"""Linear systems of joints that hang on one another like bones and all lean on one shared unknown.

A body's unknowns are a 3-vector per joint and the place of the pelvis. Evidence ties every joint to the pelvis's place,
a bone ties a joint to its parent, and nothing else is tied, so the matrix of second derivatives is a tree with a
border:

.. math::
    H = \begin{pmatrix} D_j & \text{ties} & F_j \\ & \ddots & \\ F_j^T & & C \end{pmatrix}

Joints are eliminated from the ends of the limbs inwards, all of one height above the ends at once. With the pivot P_j
that is left of D_j, a joint is x_j = P_j⁻¹ r_j - U_j x_parent - V_j x_shared. Going back outwards, the same relation
gives solutions and covariances. Cost is linear in joints; all of it is 3 x 3 arithmetic on whole batches.

Letters in shapes: J = 17 joints, B systems. Batches come last, where numpy is fast.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class TreeSystem:
    """B symmetric positive definite matrices of 17 * 3 + 3 rows.

    The pelvis is the origin of the other joints and no unknown; its blocks are ignored.

    Attributes:
        diagonal: (3, 3, J, B) D, each joint with itself.
        tie: (3, 3, J, B) each joint with its parent.
        border: (3, 3, J, B) F, each joint with the shared unknown.
        corner: (3, 3, B) C, the shared unknown with itself.
    """

    diagonal: Float64Array
    tie: Float64Array
    border: Float64Array
    corner: Float64Array


@dataclass(frozen=True, kw_only=True)
class _Level:
    """Joints of one height, and those among them that have a parent other than the pelvis."""

    joints: IndexArray
    inner: IndexArray
    parents: IndexArray


def _levels() -> tuple[_Level, ...]:
    """From the ends of the limbs inwards."""
    parent = HUMAN36M17.parent_indices
    height = [0] * HUMAN36M17.num_joints
    for _, child in reversed(HUMAN36M17.bones):
        height[parent[child]] = max(height[parent[child]], height[child] + 1)
    levels = []
    for wanted in range(max(height)):
        joints = np.array([joint for joint, at in enumerate(height) if at == wanted])
        inner = np.array([joint for joint in joints if parent[parent[joint]] >= 0], dtype=np.int64)
        levels.append(_Level(joints=joints, inner=inner, parents=np.array([parent[joint] for joint in inner], int)))
    return tuple(levels)


_LEVELS = _levels()


class TreeFactor:
    """What is left of B systems after elimination, ready to be solved for any right-hand side.

    Args:
        system: Its arrays are used up.
    """

    def __init__(self, system: TreeSystem) -> None:
        self._pivot_inverse = np.zeros_like(system.diagonal)
        self._to_parent = np.zeros_like(system.tie)
        self._to_shared = np.zeros_like(system.border)
        diagonal, border, corner = system.diagonal, system.border, system.corner
        log_determinant = np.zeros(corner.shape[-1])
        for level in _LEVELS:
            at = level.joints
            inverse, determinant = inverse_of_symmetric(diagonal[:, :, at])
            to_parent, to_shared = product(inverse, system.tie[:, :, at]), product(inverse, border[:, :, at])
            log_determinant += np.log(determinant).sum(axis=0)
            self._pivot_inverse[:, :, at], self._to_parent[:, :, at], self._to_shared[:, :, at] = (
                inverse, to_parent, to_shared,
            )  # fmt: skip
            corner = corner - transposed_product(border[:, :, at], to_shared).sum(axis=2)
            tie, to_parent, to_shared = (
                array[:, :, level.inner] for array in (system.tie, self._to_parent, self._to_shared)
            )
            for array, loss in ((diagonal, to_parent), (border, to_shared)):
                less = transposed_product(tie, loss)
                for place, parent in enumerate(level.parents):
                    array[:, :, parent] -= less[:, :, place]
        self._corner_inverse, determinant = inverse_of_symmetric(corner)
        self._tie = system.tie
        self._border = border
        self.log_determinant: Float64Array = log_determinant + np.log(determinant)
        """(B,) of the whole matrix."""

    def solve(self, joints: Float64Array, shared: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Solutions, (3, J, B) of joints (0 for the pelvis) and (3, B) of the shared unknown.

        Args:
            joints: (3, J, B) right-hand side; used up.
            shared: (3, B) right-hand side.
        """
        for level in _LEVELS:
            at, inner = level.joints, level.inner
            shared = shared - transposed_times(self._to_shared[:, :, at], joints[:, at]).sum(axis=1)
            less = transposed_times(self._to_parent[:, :, inner], joints[:, inner])
            for place, parent in enumerate(level.parents):
                joints[:, parent] -= less[:, place]
        solved_shared = times(self._corner_inverse, shared)
        solved = np.zeros_like(joints)
        for level in reversed(_LEVELS):
            at = level.joints
            solved[:, at] = times(self._pivot_inverse[:, :, at], joints[:, at])
            solved[:, at] -= np.einsum("ijnb,jb->inb", self._to_shared[:, :, at], solved_shared)
            solved[:, level.inner] -= times(self._to_parent[:, :, level.inner], solved[:, level.parents])
        return solved, solved_shared

    def covariances(self) -> Float64Array:
        """(3, 3, J, B) blocks of the inverse on its diagonal, those of the joints; 0 for the pelvis."""
        own = np.zeros_like(self._pivot_inverse)
        with_shared = np.zeros_like(own)
        shared = self._corner_inverse
        for level in reversed(_LEVELS):
            at, inner, parents = level.joints, level.inner, level.parents
            by_shared = np.einsum("ijnb,jkb->iknb", self._to_shared[:, :, at], shared)
            own[:, :, at] = self._pivot_inverse[:, :, at] + product_transposed(by_shared, self._to_shared[:, :, at])
            with_shared[:, :, at] = -by_shared
            up, across = self._to_parent[:, :, inner], self._to_shared[:, :, inner]
            mixed = product_transposed(product(up, with_shared[:, :, parents]), across)
            own[:, :, inner] += product_transposed(product(up, own[:, :, parents]), up)
            own[:, :, inner] += mixed + np.swapaxes(mixed, 0, 1)
            with_shared[:, :, inner] -= product(up, with_shared[:, :, parents])
        return own


def inverse_of_symmetric(matrix: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(3, 3, ...) inverses by cofactors, and (...) determinants, of (3, 3, ...) symmetric matrices."""
    (a, b, c), (_, d, e), (_, _, f) = matrix
    inverse = np.empty_like(matrix)
    inverse[0, 0], inverse[0, 1], inverse[0, 2] = d * f - e * e, c * e - b * f, b * e - c * d
    inverse[1, 1], inverse[1, 2], inverse[2, 2] = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * inverse[0, 0] + b * inverse[0, 1] + c * inverse[0, 2]
    inverse[1, 0], inverse[2, 0], inverse[2, 1] = inverse[0, 1], inverse[0, 2], inverse[1, 2]
    inverse /= determinant
    return inverse, determinant


def product(left: Float64Array, right: Float64Array) -> Float64Array:
    """A B of (3, 3, n, B)."""
    return np.asarray(np.einsum("ijnb,jknb->iknb", left, right))


def transposed_product(left: Float64Array, right: Float64Array) -> Float64Array:
    """Aᵀ B."""
    return np.asarray(np.einsum("jinb,jknb->iknb", left, right))


def product_transposed(left: Float64Array, right: Float64Array) -> Float64Array:
    """A Bᵀ."""
    return np.asarray(np.einsum("ijnb,kjnb->iknb", left, right))


def times(matrix: Float64Array, vector: Float64Array) -> Float64Array:
    """A v of (3, 3, ...) and (3, ...)."""
    return np.asarray(np.einsum("ij...,j...->i...", matrix, vector))


def transposed_times(matrix: Float64Array, vector: Float64Array) -> Float64Array:
    """Aᵀ v."""
    return np.asarray(np.einsum("ji...,j...->i...", matrix, vector))
