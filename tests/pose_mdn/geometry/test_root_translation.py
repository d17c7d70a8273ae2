import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.geometry.pinhole import camera_to_slopes
from pose_mdn.geometry.root_translation import solve_root_translation

seeds = st.integers(0, 2**32 - 1)


def _scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pose = rng.normal(size=(4, 17, 3)) * 0.4
    root = np.stack([rng.uniform(-2, 2, 4), rng.uniform(-1, 1, 4), rng.uniform(3, 9, 4)], axis=-1)
    weight = rng.uniform(0.1, 1.0, (4, 17))
    return pose, root, weight


@given(seeds)
def test_exact_observations_give_the_exact_translation(seed):
    pose, root, weight = _scene(seed)
    slopes = camera_to_slopes(pose + root[:, None])
    np.testing.assert_allclose(solve_root_translation(pose, slopes, weight), root, rtol=1e-6, atol=1e-6)


@given(seeds)
def test_equals_a_general_least_squares_solver(seed):
    pose, root, weight = _scene(seed)
    slopes = camera_to_slopes(pose + root[:, None]) + 0.01 * np.random.default_rng(seed).normal(size=(4, 17, 2))
    got = solve_root_translation(pose, slopes, weight)
    for row in range(4):
        x, y = slopes[row].T
        zero, one = np.zeros(17), np.ones(17)
        matrix = np.concatenate([np.stack([one, zero, -x], 1), np.stack([zero, one, -y], 1)])
        right = np.concatenate([x * pose[row, :, 2] - pose[row, :, 0], y * pose[row, :, 2] - pose[row, :, 1]])
        root_weight = np.sqrt(np.tile(weight[row], 2))
        expected = np.linalg.lstsq(matrix * root_weight[:, None], right * root_weight, rcond=None)[0]
        np.testing.assert_allclose(got[row], expected, rtol=1e-5, atol=1e-5)


def test_missing_joints_do_not_count():
    pose, root, weight = _scene(1)
    slopes = camera_to_slopes(pose + root[:, None])
    slopes[:, 3], weight[:, 3] = 99.0, 0.0
    np.testing.assert_allclose(solve_root_translation(pose, slopes, weight), root, rtol=1e-6)


def test_a_single_visible_joint_gives_a_finite_answer():
    pose, root, _ = _scene(2)
    weight = np.zeros((4, 17))
    weight[:, 0] = 1.0
    assert np.isfinite(solve_root_translation(pose, camera_to_slopes(pose + root[:, None]), weight)).all()
