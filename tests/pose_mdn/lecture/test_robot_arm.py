import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.lecture.robot_arm import (
    LENGTHS,
    draw_angles,
    hand_position,
    joint_positions,
    solve,
    within_range,
)


@given(st.integers(0, 2**32 - 1))
def test_both_solutions_reach_the_place_and_their_mean_does_not(seed):
    angles = draw_angles(20, np.random.default_rng(seed))
    hand = hand_position(angles)
    both = solve(hand)
    np.testing.assert_allclose(hand_position(both), np.stack([hand, hand], axis=1), atol=1e-9)
    bent = np.abs(angles[:, 1] - np.pi) > 0.2
    missed = np.linalg.norm(hand_position(both.mean(axis=1)) - hand, axis=-1)
    assert (missed[bent] > 1e-4).all()
    # The mean of the two is the stretched arm, pointing at the place.
    np.testing.assert_allclose(missed, sum(LENGTHS) - np.linalg.norm(hand, axis=-1), atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_the_arm_s_own_angles_are_one_of_its_solutions(seed):
    angles = draw_angles(20, np.random.default_rng(seed))
    nearest = np.abs(solve(hand_position(angles)) - angles[:, None]).max(axis=-1).min(axis=-1)
    assert nearest.max() < 1e-6


def test_links_keep_their_lengths_and_no_arm_reaches_too_far():
    joints = joint_positions(draw_angles(50, np.random.default_rng(0)))
    lengths = np.linalg.norm(np.diff(joints, axis=-2), axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(LENGTHS, lengths.shape))
    assert np.isnan(solve(np.array([[2.0, 0.0], [0.1, 0.0]]))).any(axis=(-1, -2)).all()


def test_angles_are_drawn_from_the_ranges():
    assert within_range(draw_angles(100, np.random.default_rng(0))).all()
    assert not within_range(np.array([0.2, np.pi]))
    assert hand_position(np.array([0.0, np.pi])) == pytest.approx([sum(LENGTHS), 0.0])
