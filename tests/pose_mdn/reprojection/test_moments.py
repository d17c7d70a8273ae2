import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.reprojection.agreement import weighted_rms
from pose_mdn.reprojection.moments import point_moments


def _scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = rng.normal(scale=200.0, size=(3, 2, 17, 2))
    points[rng.uniform(size=(3, 2, 17)) < 0.1] = np.nan
    weight = rng.uniform(size=(3, 17)) * (rng.uniform(size=(3, 17)) > 0.2)
    return points, rng.normal(scale=200.0, size=(3, 17, 2)), weight


@given(st.integers(0, 2**32 - 1))
def test_distances_are_those_of_going_through_the_joints(seed: int) -> None:
    points, targets, weight = _scene(seed)
    square = np.square(points - targets[:, None]).sum(axis=-1)
    np.testing.assert_allclose(
        point_moments(points).rms_to(targets, weight), weighted_rms(square, weight[:, None]), rtol=1e-9
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 5.0))
def test_a_known_scale_and_shift_is_found(seed: int, scale: float) -> None:
    points, shift, weight = _scene(seed)
    targets = scale * np.nan_to_num(points[:, 0]) + shift[:, :1]
    fit = point_moments(points).scale_and_shift(targets, weight)
    np.testing.assert_allclose(fit.scale[:, 0], scale, rtol=1e-6)
    np.testing.assert_allclose(fit.rms[:, 0], 0.0, atol=1e-3)
    assert (fit.rms[:, 1] > 1.0).all()


def test_a_mirrored_target_gets_no_negative_scale() -> None:
    points, _, weight = _scene(0)
    points = np.nan_to_num(points)
    fit = point_moments(points).scale_and_shift(-points[:, 0], weight)
    middle = (weight[:, :, None] * points[:, 0]).sum(axis=1) / weight.sum(axis=1)[:, None]
    square = np.square(points[:, 0] - middle[:, None]).sum(axis=-1)
    np.testing.assert_allclose(fit.rms[:, 0], weighted_rms(square, weight))


def test_nothing_in_common_is_no_number() -> None:
    points, targets, weight = _scene(0)
    assert np.isnan(point_moments(points).rms_to(targets, np.zeros_like(weight))).all()
    assert point_moments(np.zeros((1, 1, 17, 2))).rms_to(np.zeros((1, 17, 2)), np.ones((1, 17))) == pytest.approx(0.0)
