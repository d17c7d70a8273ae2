import numpy as np

from pose_mdn.metrics import acceleration_error_mm_s2, acceleration_mm_s2, mpjve_mm


def test_steady_motion_has_no_acceleration_and_falling_has_that_of_gravity() -> None:
    moments = np.arange(6)[:, None, None] / 50.0
    steady = np.ones((17, 3)) + moments * np.array([1.0, 2.0, -1.0])
    falling = steady + 0.5 * 9.81 * moments**2 * np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(acceleration_mm_s2(steady, 50.0), np.zeros(4), atol=1e-6)
    np.testing.assert_allclose(acceleration_mm_s2(falling, 50.0), np.full(4, 9810.0))
    np.testing.assert_allclose(acceleration_error_mm_s2(falling, steady, 50.0), np.full(4, 9810.0))


def test_a_shift_is_no_error_of_velocity_or_acceleration() -> None:
    film = np.random.default_rng(0).normal(size=(2, 5, 17, 3))
    np.testing.assert_allclose(mpjve_mm(film + 0.3, film), np.zeros((2, 4)), atol=1e-9)
    np.testing.assert_allclose(acceleration_error_mm_s2(film + 0.3, film, 30.0), np.zeros((2, 3)), atol=1e-6)


def test_velocity_errors_are_millimetres_per_frame() -> None:
    still = np.zeros((4, 17, 3))
    moving = still + 0.02 * np.arange(4)[:, None, None] * np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(mpjve_mm(moving, still), np.full(3, 20.0))
