import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from pose_mdn.reprojection.turned_views import fit_turned

SEEDS = st.integers(0, 2**32 - 1)


def body(rng: np.random.Generator, count: int = 6) -> np.ndarray:
    return rng.normal(size=(count, 17, 3)) * [0.25, 0.5, 0.2]


@settings(max_examples=30)
@given(seed=SEEDS)
def test_a_turned_scaled_and_moved_pose_is_recognised(seed):
    rng = np.random.default_rng(seed)
    pose = body(rng)
    truth = Rotation.random(len(pose), rng).as_matrix()
    keypoints = 200.0 * (pose @ np.swapaxes(truth, 1, 2))[..., :2] + rng.normal(size=(len(pose), 1, 2))
    fit = fit_turned(pose, keypoints, rng.uniform(0.2, 1.0, keypoints.shape[:2]))
    np.testing.assert_allclose(fit.rms_px, 0.0, atol=1e-4)
    np.testing.assert_allclose(fit.rotation, truth, atol=1e-5)
    angle = Rotation.from_matrix(truth).magnitude()
    np.testing.assert_allclose(fit.angle_rad, angle, atol=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_nearby_fits_better(seed):
    rng = np.random.default_rng(seed)
    (pose,), weight = body(rng, 1), rng.uniform(0.2, 1.0, 17)
    turned = pose @ Rotation.from_euler("y", 40, degrees=True).as_matrix().T
    keypoints = 200.0 * turned[:, :2] + 4.0 * rng.normal(size=(17, 2))
    fit = fit_turned(pose[None], keypoints[None], weight[None])

    def left(values: np.ndarray) -> np.ndarray:
        drawn = np.exp(values[3]) * (pose @ Rotation.from_rotvec(values[:3]).as_matrix().T)[:, :2] + values[4:]
        return (np.sqrt(weight / weight.sum())[:, None] * (drawn - keypoints)).ravel()

    start = np.concatenate([Rotation.from_matrix(fit.rotation[0]).as_rotvec(), [np.log(200.0), 0.0, 0.0]])
    best = least_squares(left, start, xtol=1e-12, ftol=1e-12)
    # A few steps are enough to decide; they need not arrive.
    assert fit.rms_px[0] <= 1.02 * np.sqrt(2.0 * best.cost)


def test_joints_without_weight_and_poses_without_numbers_are_left_out():
    rng = np.random.default_rng(0)
    pose = body(rng, 3)
    keypoints = 100.0 * pose[..., :2]
    weight = np.ones((3, 17))
    weight[0, 4], keypoints[0, 4] = 0.0, 1e5
    pose[1, 3] = np.nan
    weight[2] = 0.0
    fit = fit_turned(pose, keypoints, weight)
    assert fit.rms_px[0] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(fit.rms_px[1:]).all()
    assert np.isnan(fit.angle_rad[1:]).all()
