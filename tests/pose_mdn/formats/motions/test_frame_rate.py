"""Changing the frame rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.formats.motions.frame_rate import resample


@given(fps=st.floats(5, 500), target=st.floats(5, 500), frames=st.integers(1, 60))
def test_even_motion_stays_even_and_keeps_its_duration(fps, target, frames) -> None:
    """A motion whose position is its time in seconds: every frame of the result says when it was."""
    time = np.arange(frames) / fps
    positions = np.tile(time[:, None, None], (1, 2, 3))
    found, valid, rate = resample(positions, np.ones(frames, bool), fps, target)
    assert rate == pytest.approx(target, rel=0.01)
    np.testing.assert_allclose(found[:, 0, 0], np.arange(len(found)) / rate, atol=1e-9)
    assert valid.all()
    assert time[-1] - 1 / rate - 1e-9 < found[-1, 0, 0] <= time[-1] + 1e-9


def test_a_whole_ratio_chooses_frames() -> None:
    positions = np.random.default_rng(0).normal(size=(9, 2, 3))
    valid = np.arange(9) != 4
    found, kept, rate = resample(positions, valid, 119.88, 30)
    np.testing.assert_array_equal(found, positions[::4])
    assert kept.tolist() == [True, False, True]
    assert rate == pytest.approx(29.97)


def test_a_frame_between_is_valid_only_if_both_neighbours_are() -> None:
    positions = np.zeros((5, 1, 3))
    positions[2] = np.nan
    valid = np.array([True, True, False, True, True])
    _, kept, _ = resample(positions, valid, 20, 30)
    # Places 0, 2/3, 4/3, 2, 8/3, 10/3 and 4 of the old frames.
    assert kept.tolist() == [True, True, False, False, False, True, True]
