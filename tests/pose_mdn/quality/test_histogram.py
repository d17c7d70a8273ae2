import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.quality.distinct import DistinctCounter
from pose_mdn.quality.histogram import LogHistogram

NUMBERS = st.lists(st.floats(1e-2, 1e4), min_size=1, max_size=60)


@given(NUMBERS, st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_quantile_is_numpy_s_to_half_a_percent(values: list[float], share: float) -> None:
    histogram = LogHistogram(smallest=1e-3)
    histogram.add(np.array(values))
    expected = np.quantile(values, share, method="lower")
    assert histogram.quantile(share) == pytest.approx(expected, rel=0.0051)


@given(NUMBERS, st.integers(0, 60))
def test_pieces_give_what_the_whole_gives(values: list[float], cut: int) -> None:
    whole, first, second = (LogHistogram(smallest=1e-3) for _ in range(3))
    whole.add(np.array(values))
    second.add(np.array(values[cut:]))
    first.add(np.array(values[:cut]))
    second.merge(first)
    assert [whole.quantile(q) for q in (0.1, 0.5, 0.9)] == [second.quantile(q) for q in (0.1, 0.5, 0.9)]


def test_nothing_zero_nan_and_giants_are_counted_as_they_should() -> None:
    histogram = LogHistogram(smallest=1e-3)
    assert histogram.quantile(0.5) is None
    histogram.add(np.array([np.nan]))
    assert histogram.quantile(0.5) is None
    histogram.add(np.array([0.0, 0.0, np.inf]))
    assert histogram.quantile(0.0) == 1e-3
    assert histogram.quantile(1.0) == pytest.approx(1e4, rel=0.02)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=80))
def test_few_numbers_are_counted_exactly(numbers: list[int]) -> None:
    counter = DistinctCounter()
    for part in np.array_split(np.array(numbers, np.int64), 3):
        counter.add(part)
    assert counter.count() == len(set(numbers))


def test_many_numbers_are_counted_within_a_percent_whatever_their_order() -> None:
    numbers = np.arange(0, 1_500_000, 5)
    forward, backward = DistinctCounter(), DistinctCounter()
    forward.add(numbers)
    for part in np.array_split(numbers[::-1], 7):
        backward.add(part)
    backward.merge(forward)
    assert forward.count() == backward.count()
    assert forward.count() == pytest.approx(len(numbers), rel=0.01)
