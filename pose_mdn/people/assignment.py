r"""Who goes with whom at the least cost: the rectangular assignment problem with forbidden pairs.

Given costs c (R rows, C columns), choose pairs, at most one per row and one per column, that minimise the sum of their
costs and of a price for every row that stays alone. The method is that of shortest augmenting paths (Jonker and
Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment problems", Computing 38, 1987):
rows are added one by one; each gets the column at the end of the cheapest path of exchanges, found as Dijkstra does on
the reduced costs c - u - v, which the potentials u and v keep non-negative.
"""

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
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, ALONE), np.full(columns, ALONE)
    for row in range(rows):
        _add_row(row, cost, row_price, column_price, column_of, row_of)
    return column_of


def _add_row(
    new: int,
    cost: Float64Array,
    row_price: Float64Array,
    column_price: Float64Array,
    column_of: NDArray[np.int64],
    row_of: NDArray[np.int64],
) -> None:
    """Give one more row a column, in place, by the cheapest path of exchanges to a free one."""
    distance, came_from = np.full(cost.shape[1], np.inf), np.full(cost.shape[1], ALONE)
    reached = np.zeros(cost.shape[1], bool)
    row, length, column = new, 0.0, ALONE
    while row != ALONE:
        through = length + cost[row] - row_price[row] - column_price
        shorter = ~reached & (through < distance)
        distance[shorter], came_from[shorter] = through[shorter], row
        column = int(np.where(reached, np.inf, distance).argmin())
        length, reached[column] = float(distance[column]), True
        row = int(row_of[column])
    taken = reached & (row_of != ALONE)
    row_price[new] += length
    row_price[row_of[taken]] += length - distance[taken]
    column_price[taken] -= length - distance[taken]
    while row != new:
        row = int(came_from[column])
        row_of[column] = row
        column_of[row], column = column, int(column_of[row])
