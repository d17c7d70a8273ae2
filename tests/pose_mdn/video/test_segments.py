import numpy as np
import pytest

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn.video import SmoothingSettings, moments_s
from pose_mdn.video.segments import Segment, jumps, segments_of

from .conftest import Sway


def _segments(hypotheses: HypothesisSequence, **settings: float) -> list[Segment]:
    wanted = SmoothingSettings(**settings)
    return list(
        segments_of(
            hypotheses.keypoints_px,
            hypotheses.confidence > 0,
            hypotheses.lifted & (hypotheses.person >= 0),
            frame=hypotheses.frame,
            person=hypotheses.person,
            time_s=moments_s(hypotheses.frame, hypotheses.fps, wanted),
            settings=wanted,
        )
    )


def test_a_film_of_one_person_is_one_segment(sway: Sway) -> None:
    (segment,) = _segments(sway(60).hypotheses)
    np.testing.assert_array_equal(segment.rows, np.arange(60))
    np.testing.assert_allclose(segment.time_s, np.arange(60) / 30)


def test_dropped_frames_are_longer_steps_and_long_gaps_are_ends(sway: Sway) -> None:
    hypotheses = sway(60).hypotheses.take(np.array([0, 1, 2, 5, 6, 40, 41]))
    assert [len(segment.rows) for segment in _segments(hypotheses)] == [5, 2]
    assert [len(segment.rows) for segment in _segments(hypotheses, max_gap_s=2.0, cut=10.0)] == [7]
    np.testing.assert_allclose(np.diff(_segments(hypotheses)[0].time_s), np.array([1, 1, 3, 1]) / 30)


def test_the_frame_rate_of_the_settings_wins(sway: Sway) -> None:
    (segment,) = _segments(sway(5).hypotheses, fps=10.0)
    np.testing.assert_allclose(segment.time_s, np.arange(5) / 10)


def test_another_scene_is_a_cut_though_the_identity_stays(sway: Sway) -> None:
    hypotheses = sway(20).hypotheses
    hypotheses.keypoints_px[10:] = hypotheses.keypoints_px[10:, ::-1] + 150.0
    assert [segment.rows.tolist() for segment in _segments(hypotheses)] == [list(range(10)), list(range(10, 20))]


def test_outliers_and_exchanged_legs_are_no_cut(sway: Sway) -> None:
    hypotheses = sway(20).hypotheses
    sides = [[HUMAN36M17.index(f"{side}_{joint}") for joint in ("hip", "knee", "ankle")] for side in "lr"]
    hypotheses.keypoints_px[10, sides[0] + sides[1]] = hypotheses.keypoints_px[10, sides[1] + sides[0]]
    hypotheses.keypoints_px[15, :4] += 400.0
    assert len(_segments(hypotheses)) == 1


def test_a_person_twice_in_a_frame_is_refused(sway: Sway) -> None:
    hypotheses = sway(4).hypotheses.take(np.array([0, 1, 1, 2]))
    with pytest.raises(InputError, match="person 0 twice in frame 1"):
        _segments(hypotheses)


def test_jumps_of_too_few_common_joints_are_unknown(sway: Sway) -> None:
    points = sway(2).hypotheses.keypoints_px
    seen = np.ones((2, 17), bool)
    seen[1, 3:] = False
    assert np.isnan(jumps(points[0], seen[0], points[1], seen[1]))
    assert jumps(points[0], seen[0], points[0], seen[0]) == 0
    shifted = points[0] + [30.0, 40.0]
    size = np.linalg.norm(np.ptp(points[0], axis=0))
    np.testing.assert_allclose(jumps(points[0], seen[0], shifted, seen[0]), 50 / size, rtol=1e-5)


@pytest.mark.parametrize(("name", "value"), [("fps", 0.0), ("max_gap_s", -1.0), ("cut", float("inf"))])
def test_impossible_settings_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name}: expected a number above 0"):
        SmoothingSettings(**{name: value})
