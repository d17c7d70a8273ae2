r"""Who goes with whom at the least cost: the rectangular assignment problem with forbidden pairs.

Given costs c (R rows, C columns), choose pairs, at most one per row and one per column, that minimise the sum of their
costs and of a price for every row that stays alone. The method is that of shortest augmenting paths (Jonker and
Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment problems", Computing 38, 1987):
rows are added one by one; each gets the column at the end of the cheapest path of exchanges, found as Dijkstra does on
the reduced costs c - u - v, which the potentials u and v keep non-negative.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import InputError

Float64Array = NDArray[np.float64]

ALONE = -1
"""The column of a row that goes with none."""


def assign(cost: ArrayLike, *, price_alone: float | None = None) -> NDArray[np.int64]:
    """The cheapest assignment.

    Args:
        cost: (R, C) finite costs of either sign; +infinity forbids a pair.
        price_alone: What a row without a column costs. `None`: more than anything, so that as many rows as possible
            get a column, and among these choices the cheapest is taken.

    Returns:
        (R,) the column of each row, -1 for rows that stay alone.

    Raises:
        InputError: The costs are no matrix, or one of them is not a number or -infinity.
    """
    matrix = np.asarray(cost, np.float64)
    if matrix.ndim != 2:
        raise InputError(f"cost: expected a matrix (R, C), got shape {matrix.shape}", field="cost")
    if np.isnan(matrix).any() or np.isneginf(matrix).any():
        raise InputError("cost: expected numbers or +infinity for forbidden pairs, got NaN or -infinity", field="cost")
    rows, columns = matrix.shape
    # A column of its own for every row, to be alone in.
    alone = np.full((rows, rows), np.inf)
    np.fill_diagonal(alone, _price_above_all(matrix) if price_alone is None else price_alone)
    chosen = _cheapest_columns(np.concatenate([matrix, alone], axis=1))
    return np.where(chosen < columns, chosen, ALONE)


def _price_above_all(cost: Float64Array) -> float:
    """More than exchanging all pairs could ever save."""
    allowed = cost[np.isfinite(cost)]
    if not allowed.size:
        return 0.0
    return float((np.ptp(allowed) + 1.0) * (min(cost.shape) + 1) + allowed.max())


def _cheapest_columns(cost: Float64Array) -> NDArray[np.int64]:
    """(R,) columns of a problem in which every row can get one."""
    rows, columns = cost.shape
    nearest = cost.argmin(axis=1) if rows else np.empty(0, np.int64)
    if len(np.unique(nearest)) == rows:
        return nearest  # Everybody can have the best, and nothing is cheaper.
    found = _Found(
        row_price=np.zeros(rows),
        column_price=np.zeros(columns),
        column_of=np.full(rows, ALONE),
        row_of=np.full(columns, ALONE),
    )
    for row in range(rows):
        _add_row(row, cost, found)
    return found.column_of


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The optimum for some of the rows; its arrays are written to.

    Attributes:
        row_price: (R,) u.
        column_price: (C,) v.
        column_of: (R,) columns of the rows, -1 for those that are not in yet.
        row_of: (C,) rows of the columns, -1 for those that are free.
    """

    row_price: Float64Array
    column_price: Float64Array
    column_of: NDArray[np.int64]
    row_of: NDArray[np.int64]


def _add_row(new: int, cost: Float64Array, found: _Found) -> None:
    """Give one more row a column by the cheapest path of exchanges to a free one."""
    column_of, row_of = found.column_of, found.row_of
    distance, came_from = np.full(cost.shape[1], np.inf), np.full(cost.shape[1], ALONE)
    reached = np.zeros(cost.shape[1], bool)
    row, length, column = new, 0.0, ALONE
    while row != ALONE:
        through = length + cost[row] - found.row_price[row] - found.column_price
        shorter = ~reached & (through < distance)
        distance[shorter], came_from[shorter] = through[shorter], row
        column = int(np.where(reached, np.inf, distance).argmin())
        length, reached[column] = float(distance[column]), True
        row = int(row_of[column])
    taken = reached & (row_of != ALONE)
    found.row_price[new] += length
    found.row_price[row_of[taken]] += length - distance[taken]
    found.column_price[taken] -= length - distance[taken]
    while row != new:
        row = int(came_from[column])
        row_of[column] = row
        column_of[row], column = column, int(column_of[row])
