"""Symmetric 3 x 3 matrices as six arrays: xx, xy, xz, yy, yz, zz on the first axis, any number of axes behind it.

NumPy is slow over axes of three; written out, a product or an inverse is a few sums over long arrays. Vectors have
their three entries on the first axis likewise.
"""

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

_ROWS = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])
"""Where the entries of the full matrix stand."""
_TRIANGLE = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
DIAGONAL = (0, 3, 5)


def outer(vector: Float64Array) -> Float64Array:
    """(6, ...) v vᵀ of (3, ...) vectors."""
    return np.stack([vector[i] * vector[j] for i, j in _TRIANGLE])


def times(matrix: Float64Array, vector: Float64Array) -> Float64Array:
    """(3, ...) products of (6, ...) matrices with (3, ...) vectors."""
    xx, xy, xz, yy, yz, zz = matrix
    x, y, z = vector
    return np.stack([xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z])


def dot(left: Float64Array, right: Float64Array) -> Float64Array:
    """(...) scalar products of (3, ...) vectors."""
    return np.asarray(left[0] * right[0] + left[1] * right[1] + left[2] * right[2])


def inverse(matrix: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(6, ...) inverses of positive definite (6, ...) matrices, and (...) their determinants, by cofactors."""
    xx, xy, xz, yy, yz, zz = matrix
    first, second, third = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    determinant = xx * first + xy * second + xz * third
    adjugate = np.stack([first, second, third, xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy])
    return adjugate / determinant, determinant


def sandwich(outside: Float64Array, inside: Float64Array) -> Float64Array:
    """(6, ...) A B A of (6, ...) matrices A and B."""
    columns = [times(outside, times(inside, outside[_ROWS[i]])) for i in range(3)]
    return np.stack([columns[j][i] for i, j in _TRIANGLE])


def full(matrix: Float64Array) -> Float64Array:
    """(..., 3, 3) matrices with their axes in the usual place."""
    return np.moveaxis(matrix[_ROWS], (0, 1), (-2, -1))


def packed(matrix: Float64Array) -> Float64Array:
    """(6, ...) of (..., 3, 3) matrices; the inverse of `full`."""
    return np.stack([matrix[..., i, j] for i, j in _TRIANGLE])
