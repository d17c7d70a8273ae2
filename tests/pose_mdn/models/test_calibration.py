import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.models.calibration import MISFIT_RANGE, TYPICAL_MISFIT, Calibration, misfit_gain, relative_misfit

GENERATOR = torch.Generator().manual_seed(0)
POINTS = torch.randn(4, 17, 2, generator=GENERATOR)
ERRORS = torch.rand(4, 5, generator=GENERATOR)
CONFIDENCE = 0.1 + 0.9 * torch.rand(4, 17, generator=GENERATOR)


@given(scale=st.floats(0.01, 1e4), shift=st.floats(-1e3, 1e3))
def test_misfit_has_no_unit_and_no_place(scale, shift):
    before = relative_misfit(ERRORS.double(), POINTS.double(), CONFIDENCE.double())
    after = relative_misfit(scale * ERRORS.double(), scale * POINTS.double() + shift, CONFIDENCE.double())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=0.0)


def test_misfit_is_that_of_the_best_hypothesis():
    worse = torch.cat([ERRORS, ERRORS.amax(1, keepdim=True) + 1.0], dim=1)
    torch.testing.assert_close(relative_misfit(worse, POINTS, CONFIDENCE), relative_misfit(ERRORS, POINTS, CONFIDENCE))


def test_missing_joints_do_not_count_towards_the_misfit():
    confidence, spoiled = CONFIDENCE.clone(), POINTS.clone()
    confidence[:, 5], spoiled[:, 5] = 0.0, 1e3
    torch.testing.assert_close(
        relative_misfit(ERRORS, spoiled, confidence), relative_misfit(ERRORS, POINTS, confidence)
    )
    nobody = relative_misfit(ERRORS, POINTS, torch.zeros(4, 17))
    assert torch.isfinite(nobody).all()


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_standard_deviations_grow_with_the_misfit_within_its_range(exponent):
    low, high = MISFIT_RANGE
    misfit = torch.tensor([0.0, low, TYPICAL_MISFIT, high, 10 * high])
    gain = misfit_gain(misfit, torch.tensor([exponent, 0.0]))
    torch.testing.assert_close(gain[2], torch.ones(2))
    torch.testing.assert_close(gain[[0, 4]], gain[[1, 3]])
    torch.testing.assert_close(gain[:, 1], torch.ones(5))
    assert (gain[:, 0].diff() >= 0).all()
    assert (gain[1:4, 0].diff() > 0).all() == (exponent > 0)


def test_reset_corrects_nothing():
    calibration = Calibration()
    calibration.std_scale.uniform_(0.5, 2.0)
    calibration.misfit_exponent.fill_(0.4)
    calibration.reset()
    std_m = torch.rand(4, 5, 17, 2)
    torch.testing.assert_close(calibration.correct(std_m, CONFIDENCE, torch.full((4,), 0.2)), std_m)
