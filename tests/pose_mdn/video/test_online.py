from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.video import OnlineSmoother, SmoothingSettings, moments_s, played, smooth_sequence

from .conftest import Sway
from .test_sequence import _assert_equal


def _live(hypotheses: HypothesisSequence, lag: int, settings: SmoothingSettings | None = None) -> HypothesisSequence:
    smoother = OnlineSmoother(settings, lag=lag)
    return played(hypotheses, smoother.push, smoother.flush)


def _two_people(sway: Sway) -> HypothesisSequence:
    one, other = sway(40, seed=1).hypotheses, sway(40, seed=2, person=1).hypotheses
    kept = np.random.default_rng(0).random(40) > 0.2
    return HypothesisSequence.concatenate([one.take(kept), other])


def test_a_long_lag_gives_what_the_whole_film_gives(sway: Sway) -> None:
    hypotheses = _two_people(sway)
    hypotheses.status[5] = "too_few_joints"
    hypotheses.means_m[5] = np.nan
    hypotheses.keypoints_px[60:] += 300.0
    _assert_equal(_live(hypotheses, 1000), smooth_sequence(hypotheses))


@pytest.mark.parametrize("lag", [0, 1, 4])
def test_a_row_is_answered_from_the_frames_up_to_its_lag(sway: Sway, lag: int) -> None:
    hypotheses = sway(20).hypotheses
    found = _live(hypotheses, lag)
    for row in (0, 7, 15):
        known = smooth_sequence(hypotheses.take(slice(0, row + lag + 1)))
        _assert_equal(found.take(slice(row, row + 1)), known.take(slice(row, row + 1)))


def test_rows_come_out_once_each_in_order_and_no_later_than_the_lag(sway: Sway) -> None:
    smoother = OnlineSmoother(lag=3)
    out = []
    for frame in range(20):
        rows = sway(20).hypotheses.take(slice(frame, frame + 1))
        final = smoother.push(rows)
        assert final.frame.tolist() == ([frame - 3] if frame >= 3 else [])
        out += final.frame.tolist()
    rest = smoother.flush()
    assert rest is not None
    assert out + rest.frame.tolist() == list(range(20))
    assert smoother.flush() is None


def test_someone_who_leaves_is_answered_when_time_passes_and_forgotten(sway: Sway) -> None:
    smoother = OnlineSmoother(lag=2)
    stays = sway(60, seed=1).hypotheses
    smoother.push(HypothesisSequence.concatenate([stays.take(slice(0, 1)), sway(1, person=7).hypotheses]))
    answered = [smoother.push(stays.take(slice(frame, frame + 1))).person.tolist() for frame in range(1, 60)]
    assert answered[:3] == [[], [0, 7], [0]]
    assert set(smoother._newest) == {0}
    assert len(smoother._waiting) == 2


def test_a_new_beginning_after_flush(sway: Sway) -> None:
    hypotheses = sway(10).hypotheses
    smoother = OnlineSmoother(lag=2)
    first = played(hypotheses, smoother.push, smoother.flush)
    _assert_equal(played(hypotheses, smoother.push, smoother.flush), first)


def test_moments_may_be_given_for_frames_that_come_irregularly(sway: Sway) -> None:
    hypotheses = sway(12).hypotheses.take(np.array([0, 1, 3, 4, 7, 9]))
    numbered = replace(hypotheses, frame=np.arange(6))
    smoother = OnlineSmoother(lag=10)
    moments = moments_s(hypotheses.frame, hypotheses.fps, SmoothingSettings())
    for row in range(6):
        smoother.push(numbered.take(slice(row, row + 1)), moments[row : row + 1])
    found = smoother.flush()
    assert found is not None
    _assert_equal(found, smooth_sequence(hypotheses))


def test_what_cannot_be_is_refused(sway: Sway) -> None:
    hypotheses = sway(5).hypotheses
    smoother = OnlineSmoother(lag=1)
    smoother.push(hypotheses.take(slice(2, 3)))
    with pytest.raises(InputError, match="expected frame 3 or a later one, got 2"):
        smoother.push(hypotheses.take(slice(2, 3)))
    with pytest.raises(InputError, match="expected each person once in a frame"):
        smoother.push(hypotheses.take(np.array([3, 3])))
    with pytest.raises(InputError, match="lag: expected"):
        OnlineSmoother(lag=-1)
    with pytest.raises(InputError, match="time_s: expected one moment for each row"):
        smoother.push(hypotheses.take(slice(3, 4)), np.array([0.01]))
    assert smoother.push(hypotheses.take(slice(3, 4))).frame.tolist() == [2]


def test_a_film_without_rows_is_refused(sway: Sway) -> None:
    smoother = OnlineSmoother()
    with pytest.raises(InputError, match="expected at least one row"):
        played(sway(2).hypotheses.take(slice(0, 0)), smoother.push, smoother.flush)
