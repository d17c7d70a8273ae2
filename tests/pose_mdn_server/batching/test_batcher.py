"""The laws of batching: every caller gets its own rows, in order, whatever else was in the batch."""

import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pose_mdn_server.batching import Batcher, BatcherSettings, Columns
from pose_mdn_server.calls import Call, Pending, Priority
from pose_mdn_server.errors import CallerGoneError, OverdueError, QueueFullError


class Doubler:
    """A lane whose rows come back doubled; remembers its batches."""

    def __init__(self, key: str = "a", *, poison: float = np.nan) -> None:
        self.key = key
        self.model = key
        self.batches: list[list[float]] = []
        self._poison = poison

    def run(self, columns: Columns) -> dict[str, NDArray[Any]]:
        values = columns["value"]
        self.batches.append(values.tolist())
        if (values == self._poison).any():
            raise RuntimeError("poison")
        return {"doubled": values * 2, "tag": columns["tag"]}


class Observer:
    def __init__(self) -> None:
        self.poses: Counter[str] = Counter()

    def batch_ran(self, model: str, poses: int, seconds: float) -> None:
        self.poses[model] += poses


def make(**settings: int) -> Batcher:
    return Batcher(BatcherSettings(**settings), observer=Observer())


def call(**fields: Any) -> Call:
    return Call(path="/p.S/M", request_id="id", **fields)


def rows(*values: float) -> Columns:
    return {"value": np.array(values, np.float64), "tag": np.arange(len(values))}


def run_all(batcher: Batcher) -> int:
    return sum(1 for _ in iter(batcher.run_once, False))


@given(
    jobs=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40)), min_size=1, max_size=25),
    max_batch=st.integers(1, 16),
    bulk_rows=st.integers(1, 10),
)
def test_every_caller_gets_its_own_rows_in_order(jobs: list[tuple[str, int]], max_batch: int, bulk_rows: int) -> None:
    batcher = make(max_batch=max_batch, max_queued=10_000, bulk_rows=bulk_rows)
    lanes = {key: Doubler(key) for key in "abc"}
    answers: list[Pending[Columns]] = []
    for number, (key, count) in enumerate(jobs):
        answers.append(batcher.submit(lanes[key], rows(*range(100 * number, 100 * number + count)), call()))
    assert batcher.queued_rows == sum(count for _, count in jobs)
    run_all(batcher)
    assert batcher.queued_rows == 0
    for number, ((_, count), answer) in enumerate(zip(jobs, answers, strict=True)):
        begin = 100 * number
        np.testing.assert_array_equal(answer.value()["doubled"], 2.0 * np.arange(begin, begin + count))
        np.testing.assert_array_equal(answer.value()["tag"], np.arange(count))
    assert max(len(batch) for lane in lanes.values() for batch in lane.batches) <= max_batch
    # Nothing is run twice, and nothing is mixed between lanes.
    assert sum(len(batch) for lane in lanes.values() for batch in lane.batches) == sum(count for _, count in jobs)


def test_what_waits_makes_one_batch_and_a_single_call_runs_at_once() -> None:
    batcher, lane = make(max_batch=8), Doubler()
    batcher.submit(lane, rows(1), call())
    run_all(batcher)
    for value in range(10):
        batcher.submit(lane, rows(value), call())
    run_all(batcher)
    assert [len(batch) for batch in lane.batches] == [1, 8, 2]


def test_short_calls_get_through_between_the_slices_of_a_long_one() -> None:
    batcher, lane = make(max_batch=4, bulk_rows=4), Doubler()
    long = batcher.submit(lane, rows(*range(40)), call())
    batcher.run_once()
    short = batcher.submit(lane, rows(7), call())
    batcher.run_once()
    assert short.done
    assert not long.done
    run_all(batcher)
    np.testing.assert_array_equal(long.value()["doubled"], 2.0 * np.arange(40))


def test_bulk_does_not_starve() -> None:
    batcher, bulk, quick = make(max_batch=2, bulk_rows=1), Doubler("bulk"), Doubler("quick")
    batcher.submit(bulk, rows(1, 2), call())
    for _ in range(4):
        batcher.submit(quick, rows(1), call())
        batcher.submit(quick, rows(1), call())
        batcher.run_once()
    assert bulk.batches == [[1, 2]]
    assert len(quick.batches) == 3


def test_a_full_queue_refuses_and_says_when_to_try_again() -> None:
    batcher, lane = make(max_queued=40), Doubler()
    # Whoever comes first is always taken: nobody else could be served before.
    batcher.submit(lane, rows(*range(50)), call())
    with pytest.raises(QueueFullError, match="at most 40 poses to wait") as refused:
        batcher.submit(lane, rows(1), call())
    assert refused.value.retry_after_s > 0
    run_all(batcher)
    assert not batcher.submit(lane, rows(1), call()).done


def test_who_sends_much_cannot_keep_out_who_sends_little() -> None:
    batcher, lane = make(max_queued=40), Doubler()
    for _ in range(3):
        batcher.submit(lane, rows(*range(10)), call())
    with pytest.raises(QueueFullError):
        batcher.submit(lane, rows(*range(10)), call())
    for _ in range(10):
        batcher.submit(lane, rows(1), call())
    with pytest.raises(QueueFullError):
        batcher.submit(lane, rows(1), call())


def test_those_for_whom_nobody_waits_leave_before_the_model_runs() -> None:
    batcher, lane = make(max_queued=4), Doubler()
    gone, late, patient = call(), call(deadline=time.monotonic() - 1), call()
    answers = [batcher.submit(lane, rows(value), one) for value, one in enumerate((gone, late, patient))]
    gone.cancelled = True
    run_all(batcher)
    assert isinstance(answers[0].error, CallerGoneError)
    assert isinstance(answers[1].error, OverdueError)
    assert lane.batches == [[2.0]]
    # They also make room for others.
    abandoned = [call() for _ in range(4)]
    for one in abandoned:
        batcher.submit(lane, rows(1), one)
        one.cancelled = True
    assert not batcher.submit(lane, rows(1), call()).done
    assert batcher.queued_rows == 1


def test_a_message_of_a_stream_is_over_with_its_stream() -> None:
    batcher, lane, stream = make(), Doubler(), call()
    answer = batcher.submit(lane, rows(1), stream.message())
    stream.cancelled = True
    run_all(batcher)
    assert isinstance(answer.error, CallerGoneError)


def test_a_call_that_breaks_the_model_does_not_spoil_its_neighbours() -> None:
    batcher, lane = make(), Doubler(poison=13.0)
    answers = [batcher.submit(lane, rows(value), call()) for value in (1, 13, 2)]
    run_all(batcher)
    assert [type(answer.error) for answer in answers] == [type(None), RuntimeError, type(None)]
    assert answers[2].value()["doubled"].tolist() == [4.0]


def test_times_are_noted_in_the_call() -> None:
    batcher, lane, one = make(), Doubler(), call()
    batcher.submit(lane, rows(1), one)
    run_all(batcher)
    assert one.queued_s > 0
    assert one.ran_s > 0
    assert one.priority is Priority.INTERACTIVE
