import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.optimize import linear_sum_assignment

from pose_mdn.errors import InputError
from pose_mdn.people.assignment import assign

NUMBERS = st.one_of(st.integers(-5, 5).map(float), st.floats(-1e3, 1e3))
SHAPES = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def cost_of(cost: np.ndarray, column: np.ndarray) -> float:
    rows = np.flatnonzero(column >= 0)
    return float(cost[rows, column[rows]].sum())


@settings(max_examples=150, deadline=None)
@given(npst.arrays(np.float64, SHAPES, elements=NUMBERS))
def test_it_is_as_cheap_as_scipys(cost: np.ndarray) -> None:
    column = assign(cost)
    chosen = column[column >= 0]
    rows, columns = linear_sum_assignment(cost)
    assert len(chosen) == len(np.unique(chosen)) == min(cost.shape)
    assert cost_of(cost, column) == pytest.approx(cost[rows, columns].sum(), abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(npst.arrays(np.float64, SHAPES, elements=NUMBERS), st.floats(-3, 3))
def test_who_is_too_expensive_stays_alone(cost: np.ndarray, price: float) -> None:
    column = assign(cost, price_alone=price)
    padded = np.concatenate([cost, np.full((len(cost), len(cost)), price)], axis=1)
    rows, columns = linear_sum_assignment(padded)
    total = cost_of(cost, column) + price * (column < 0).sum()
    assert total == pytest.approx(padded[rows, columns].sum(), abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(
    npst.arrays(np.float64, (6, 5), elements=NUMBERS),
    npst.arrays(bool, (6, 5), elements=st.booleans()),
)
def test_forbidden_pairs_are_never_made_and_as_many_as_can_be_are_paired(cost: np.ndarray, free: np.ndarray) -> None:
    column = assign(np.where(free, cost, np.inf))
    rows = np.flatnonzero(column >= 0)
    assert free[rows, column[rows]].all()
    most = linear_sum_assignment(-free.astype(float))
    assert len(rows) == free[most].sum()
    # Among the largest assignments the cheapest: a price above everything keeps scipy off the forbidden pairs.
    best = np.where(free, cost, 1e5)[linear_sum_assignment(np.where(free, cost, 1e5))]
    assert cost_of(cost, column) == pytest.approx(best[best < 1e5].sum(), abs=1e-5)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_goes_with_nobody(shape: tuple[int, int]) -> None:
    assert assign(np.empty(shape)).tolist() == [-1] * shape[0]


def test_bad_costs_are_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        assign([[1.0, float("nan")]])
    with pytest.raises(InputError, match="shape"):
        assign([1.0, 2.0])
