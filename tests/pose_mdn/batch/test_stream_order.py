"""Order statistics found by counting are those of sorting."""

import warnings
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_mdn.batch.stream_camera import _ranks
from pose_mdn.batch.stream_order import order_statistics

pairs = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 300), st.just(2)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@settings(max_examples=30, deadline=None)
@given(numbers=pairs, cut=st.integers(0, 300))
def test_places_of_a_sorted_column(numbers, cut) -> None:
    def passes() -> Iterator[np.ndarray]:
        yield numbers[:cut]
        yield numbers[cut:]

    count = len(numbers)
    places = [0, count // 3, count // 2, count - 1]
    found = order_statistics(passes, lambda total: places if total == count else [])
    np.testing.assert_array_equal(found, np.sort(numbers, axis=0)[places])


@settings(max_examples=30, deadline=None)
@given(numbers=pairs)
def test_percentiles_and_medians_are_those_of_numpy(numbers) -> None:
    lowest, low, below, above, high, highest = order_statistics(lambda: iter([numbers]), _ranks)
    np.testing.assert_array_equal(lowest, numbers.min(axis=0))
    np.testing.assert_array_equal(highest, numbers.max(axis=0))
    expected = np.percentile(numbers.astype(np.float64), [1, 99], axis=0, method="nearest")
    np.testing.assert_array_equal([low, high], expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # sums of the largest numbers
        middle = np.mean([below, above], axis=0, dtype=np.float32)
        np.testing.assert_array_equal(middle, np.median(numbers, axis=0))


def test_no_numbers_have_no_order() -> None:
    assert order_statistics(lambda: iter([]), _ranks) is None
    assert order_statistics(lambda: iter([np.zeros((0, 2), np.float32)]), _ranks) is None
