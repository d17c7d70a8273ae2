import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.visualization.folder_entries import ClipDescriber, describe_clip
from pose_mdn.visualization.folder_thumbnail import thumbnail_svg

from .conftest import make_walking

PARTS_OF_A_FRAME = 2 * 3 + 1


def long_walk() -> HypothesisSequence:
    walk = make_walking(64)
    return HypothesisSequence.concatenate([walk] * 5)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 320), max_size=5))
def test_a_clip_in_pieces_is_described_as_the_whole(cuts: list[int]) -> None:
    walk, describer = long_walk(), ClipDescriber()
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), len(walk)], strict=True):
        describer.add(walk.take(slice(start, stop)))
    assert describer.result() == describe_clip(walk)


def test_three_frames_are_drawn_each_in_2d_and_3d(walking: HypothesisSequence) -> None:
    svg = thumbnail_svg(walking)
    assert len(svg.encode()) < 3000
    root = ET.fromstring(svg)
    kinds = [element.get("class") for element in root if not element.tag.endswith("style")]
    assert len(kinds) == 3 * PARTS_OF_A_FRAME
    assert kinds.count("b") == 3
    assert kinds.count("l") == kinds.count("r") == kinds.count("m") == 6
    assert "nan" not in svg


def test_frames_that_are_whole_and_people_are_preferred(walking: HypothesisSequence) -> None:
    walking.confidence[:21, 3] = 0
    walking.confidence[7, 3] = 1
    walking.ood_score[21:42] = 0.9
    walking.ood_score[30] = 0.1
    expected = walking.take(np.array([7, 30, 53]))
    assert thumbnail_svg(walking) == thumbnail_svg(expected)


def test_the_person_who_is_there_most_is_drawn(walking: HypothesisSequence) -> None:
    others = make_walking(64, person=3, seed=9).take(slice(0, 19))
    both = HypothesisSequence.concatenate([others, walking])
    assert thumbnail_svg(both) == thumbnail_svg(walking)


def test_a_clip_of_one_row_is_drawn_and_one_without_poses_is_not(walking: HypothesisSequence) -> None:
    assert ET.fromstring(thumbnail_svg(walking.take(slice(0, 1)))) is not None
    assert thumbnail_svg(walking.take(slice(20, 21))) == ""
    assert thumbnail_svg(walking.take(slice(0, 0))) == ""
    assert describe_clip(walking.take(slice(20, 21)))[1] == ""


@pytest.mark.parametrize("seen", [1, 2])
def test_joints_that_coincide_or_are_alone_are_drawn_without_a_fuss(walking: HypothesisSequence, seen: int) -> None:
    walking.confidence[:, seen:] = 0
    walking.keypoints_px[:] = 7.0
    svg = thumbnail_svg(walking)
    assert ET.fromstring(svg) is not None
    assert "nan" not in svg
