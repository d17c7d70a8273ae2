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
_FIRST, _SECOND = ([pair[k] for pair in _TRIANGLE] for k in range(2))
DIAGONAL = (0, 3, 5)


def outer(vector: Float64Array) -> Float64Array:
    """(6, ...) v vᵀ of (3, ...) vectors."""
    return np.asarray(vector[_FIRST] * vector[_SECOND])


def times(matrix: Float64Array, vector: Float64Array) -> Float64Array:
    """(3, ...) products of (6, ...) matrices with (3, ...) vectors."""
    xx, xy, xz, yy, yz, zz = matrix
    x, y, z = vector
    product = np.empty((3, *np.broadcast_shapes(xx.shape, x.shape)))
    product[0] = xx * x + xy * y + xz * z
    product[1] = xy * x + yy * y + yz * z
    product[2] = xz * x + yz * y + zz * z
    return product


def dot(left: Float64Array, right: Float64Array) -> Float64Array:
    """(...) scalar products of (3, ...) vectors."""
    return np.asarray(left[0] * right[0] + left[1] * right[1] + left[2] * right[2])


def inverse(matrix: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(6, ...) inverses of positive definite (6, ...) matrices, and (...) their determinants, by cofactors."""
    xx, xy, xz, yy, yz, zz = matrix
    inverted = np.empty_like(matrix)
    inverted[0], inverted[1], inverted[2] = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    inverted[3], inverted[4], inverted[5] = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    determinant = xx * inverted[0] + xy * inverted[1] + xz * inverted[2]
    inverted /= determinant
    return inverted, determinant


def chain(first: Float64Array, middle: Float64Array, last: Float64Array) -> Float64Array:
    """(6, ...) A B C of (6, ...) matrices whose product is symmetric too."""
    columns = [times(first, times(middle, last[_ROWS[i]])) for i in range(3)]
    product = np.empty((6, *columns[0].shape[1:]))
    product[:3], product[3], product[4], product[5] = columns[0], columns[1][1], columns[2][1], columns[2][2]
    return product


def full(matrix: Float64Array) -> Float64Array:
    """(..., 3, 3) matrices with their axes in the usual place."""
    return np.moveaxis(matrix[_ROWS], (0, 1), (-2, -1))


def packed(matrix: Float64Array) -> Float64Array:
    """(6, ...) of (..., 3, 3) matrices; the inverse of `full`."""
    return np.stack([matrix[..., i, j] for i, j in _TRIANGLE])
