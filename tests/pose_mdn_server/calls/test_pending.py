import threading

import pytest

from pose_mdn_server.calls import Answers, Call, Pending


def test_the_callback_comes_once_whether_it_is_set_before_or_after() -> None:
    seen: list[int] = []
    before: Pending[int] = Pending()
    before.then(lambda done: seen.append(done.value()))
    before.resolve(1)
    before.resolve(2)
    before.fail(ValueError())
    after: Pending[int] = Pending()
    after.resolve(3)
    after.then(lambda done: seen.append(done.value()))
    assert seen == [1, 3]


def test_an_error_is_raised_where_the_value_is_wanted() -> None:
    pending: Pending[int] = Pending()
    pending.fail(KeyError("no"))
    with pytest.raises(KeyError):
        pending.value()
    with pytest.raises(KeyError):
        pending.wait(1)


def test_waiting_ends_with_the_value_or_with_the_time() -> None:
    pending: Pending[int] = Pending()
    with pytest.raises(TimeoutError):
        pending.wait(0.01)
    other: Pending[int] = Pending()
    threading.Timer(0.01, other.resolve, [5]).start()
    assert other.wait(10) == 5


def test_answers_come_in_the_order_of_their_places() -> None:
    woken: list[None] = []
    answers = Answers(wake=lambda: woken.append(None))
    message = Call(path="/p.S/M", request_id="id")
    first, second, none, third = answers.reserve(message), answers.reserve(), answers.reserve(), answers.reserve()
    assert answers.take() is None
    third.resolve("c")
    second.resolve("b")
    assert answers.take() is None
    first.resolve("a")
    none.resolve(None)
    answers.end()
    assert not answers.finished
    taken = [answers.take() for _ in range(4)]
    assert [(one[0].value(), one[1]) for one in taken if one is not None] == [("a", message), ("b", None), ("c", None)]
    assert taken[3] is None
    assert answers.finished
    assert len(woken) == 5
