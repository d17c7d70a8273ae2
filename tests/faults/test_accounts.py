"""The books of the fault suite and of the benchmarks: what they count, and that they see what they are there to see."""

import numpy as np
import pytest
from accounts import Account, Outcome, judged, outcome_row, total
from fault_calls import Questions
from h2load import _account
from hypothesis import given
from hypothesis import strategies as st
from prepared_requests import TOLERANCE, difference, expected, infer_answer, people, stream, unary
from soak import fit

import pose_mdn_server.rpc.open_inference_pb2 as oip

CODES = st.sampled_from(["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
ENTRIES = st.lists(st.one_of(st.booleans(), CODES), max_size=40)
REPORT = """
requests: {n} total, {n} started, {n} done, {n} succeeded, 0 failed, 0 errored, 0 timeout
traffic: 9MB (9000000) total, 20.0KB (20480) headers (space savings 80.00%), 8MB ({data}) data
"""


def account_of(entries: list[bool | str]) -> Account:
    account = Account()
    for entry in entries:
        account.said_no(entry) if isinstance(entry, str) else account.answered(entry)
    return account


@given(first=ENTRIES, second=ENTRIES)
def test_every_call_has_one_entry_and_sums_keep_them(first: list[bool | str], second: list[bool | str]) -> None:
    both = total([account_of(first), account_of(second)])
    assert both.adds_up
    assert both.sent == len(first) + len(second)
    assert both.lost == [*first, *second].count("DEADLINE_EXCEEDED")
    assert both.wrong == [*first, *second].count(False)


@given(entries=ENTRIES)
def test_only_what_is_lost_wrong_or_refused_without_reason_is_a_failure(entries: list[bool | str]) -> None:
    failures = judged(account_of(entries), allowed=("UNAVAILABLE",), min_right=0)
    assert bool(failures) == bool({False, "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"} & set(entries))


def test_a_dead_server_does_not_pass() -> None:
    assert judged(account_of(["UNAVAILABLE"] * 5), allowed=("UNAVAILABLE",))


def test_the_table_says_what_failed_and_what_was_not_run() -> None:
    assert "FAILED" in outcome_row(Outcome(scenario="a", failures=("1 lost",)))[6]
    assert outcome_row(Outcome(scenario="a", skipped="no workers"))[6:] == ["not run", "no workers"]


def test_answers_to_different_people_are_told_apart() -> None:
    feed = people(40, seed=1)
    answers = expected(feed)
    for row in range(1, 40):
        first, other = ({name: array[[index]] for name, array in answers.items()} for index in (0, row))
        assert difference(first, other) > 100 * TOLERANCE


def test_a_right_answer_to_somebody_else_is_wrong() -> None:
    first, other = Questions(["infer"], seed=0).pools["infer"][:2]
    answers = []
    for question in (first, other):
        response = oip.ModelInferResponse()
        for name, array in question.answer.items():
            response.outputs.add(name=name, datatype="FP32", shape=array.shape)
            response.raw_output_contents.append(array.tobytes())
        answers.append(response.SerializeToString())
    assert first.is_right(answers[0])
    assert not first.is_right(answers[1])


def test_an_answer_that_lacks_a_tensor_or_holds_nan_is_wrong() -> None:
    wanted = expected(people(1, seed=2))
    assert difference({}, wanted) == float("inf")
    assert difference(wanted | {"means_m": wanted["means_m"] * np.nan}, wanted) == float("inf")
    assert difference(wanted, wanted) == 0.0
    assert infer_answer(oip.ModelInferResponse(raw_output_contents=[b""]).SerializeToString()) == {}


def test_a_stream_with_an_answer_too_few_is_wrong() -> None:
    prepared = stream(2, 3, seed=0)
    assert prepared.answers == 2
    assert prepared.worst_difference([]) == float("inf")
    assert unary("infer", 1, seed=0).worst_difference([b"", b""]) == float("inf")


@pytest.mark.parametrize(("bytes_missing", "errors"), [(0, 0), (100, 1), (250, 3), (1000, 10)])
def test_answers_of_h2load_that_were_errors_are_counted(bytes_missing: int, errors: int) -> None:
    rows = np.column_stack([np.arange(10) * 1000, np.full(10, 200), np.full(10, 500)])
    report = REPORT.format(n=10, data=10 * 100 - bytes_missing)
    load = _account(report, rows, 10, answer_bytes=100, used_s=0.01)
    assert load.errors == errors
    assert load.cpu_us == pytest.approx(1000)
    assert load.p50_ms == pytest.approx(0.5)


@given(seed=st.integers(0, 1000))
def test_memory_that_grows_is_told_from_memory_that_wavers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = list(np.arange(0, 1800, 10.0))
    wavering = 300 + rng.normal(0, 1, len(times))
    assert fit(times, list(wavering)).is_flat
    assert not fit(times, list(wavering + np.array(times) / 3600 * 60)).is_flat
