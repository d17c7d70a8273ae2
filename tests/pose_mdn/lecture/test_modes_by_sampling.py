import numpy as np
import pytest

from pose_mdn.lecture.metropolis import metropolis
from pose_mdn.lecture.three_modes import MIXTURE


def test_chains_have_the_moments_of_the_density():
    mean, std = np.array([1.0, -2.0]), np.array([0.5, 1.5])

    def log_density(points: np.ndarray) -> np.ndarray:
        return -0.5 * (((points - mean) / std) ** 2).sum(-1) + 7.0  # known up to a constant only

    chain, accepted = metropolis(
        log_density, np.zeros((200, 2)), steps=600, step_size=1.0, rng=np.random.default_rng(0)
    )
    assert chain.shape == (600, 200, 2)
    assert 0.2 < accepted < 0.8
    settled = chain[150:].reshape(-1, 2)
    np.testing.assert_allclose(settled.mean(0), mean, atol=0.05)
    np.testing.assert_allclose(settled.std(0), std, rtol=0.05)


def test_a_chain_never_steps_where_the_density_is_zero():
    def log_density(points: np.ndarray) -> np.ndarray:
        return np.where((np.abs(points) < 1).all(-1), 0.0, -np.inf)

    chain, accepted = metropolis(log_density, np.zeros((5, 1)), steps=200, step_size=1.0, rng=np.random.default_rng(0))
    assert (np.abs(chain) < 1).all()
    assert accepted < 1


def test_the_third_mode_lies_where_the_normal_equations_put_it():
    # Where both kernels weigh the same, the ridgeline is at (S1 + S2)^-1 S2 (1, 1).
    precisions = MIXTURE.std**-2.0
    expected = precisions[1] / precisions.sum(0)
    assert MIXTURE.modes().points[0] == pytest.approx(expected, abs=1e-9)
