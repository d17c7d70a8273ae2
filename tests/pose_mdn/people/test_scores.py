import math

import numpy as np
import pytest

from pose_mdn.people.scores import TrackingScore, score_tracking


def score(truth: list[int], identity: list[int], frame: list[int] | None = None) -> TrackingScore:
    return score_tracking(np.array(frame or list(range(len(truth)))), np.array(truth), np.array(identity))


def test_names_do_not_matter() -> None:
    perfect = score([0, 0, 1, 1, -1], [7, 7, 3, 3, -1], [0, 1, 0, 1, 1])
    assert (perfect.mota, perfect.idf1, perfect.switches) == (1.0, 1.0, 0)


def test_a_switch_half_way_costs_one_switch_and_half_of_the_identity() -> None:
    switched = score([0] * 10, [1] * 5 + [2] * 5)
    assert switched.switches == 1
    assert switched.mota == pytest.approx(0.9)
    assert switched.idf1 == pytest.approx(2 * 5 / 20)


def test_a_miss_in_between_is_no_switch() -> None:
    missed = score([0, 0, 0], [4, -1, 4])
    assert (missed.switches, missed.misses) == (0, 1)
    assert missed.idf1 == pytest.approx(2 * 2 / 5)


def test_two_people_who_exchange_numbers_are_two_switches() -> None:
    swapped = score([0, 0, 1, 1], [0, 1, 1, 0], [0, 1, 0, 1])
    assert swapped.switches == 2
    assert swapped.mota == pytest.approx(0.5)


def test_false_people_count_against() -> None:
    false = score([0, 0, -1, -1], [0, 0, 1, 2])
    assert false.false_positives == 2
    assert false.mota == 0.0
    assert false.idf1 == pytest.approx(2 * 2 / 6)


def test_totals_add_up_and_nothing_is_no_figure() -> None:
    one = score([0] * 4, [0] * 4)
    assert TrackingScore.total([one, one]).people == 8
    assert math.isnan(TrackingScore.total([]).mota)
    assert math.isnan(TrackingScore.total([]).idf1)
