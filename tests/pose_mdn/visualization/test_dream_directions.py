"""The dream page's directions: orthonormal, and no others move the body more."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.inference.pose_prior import load_pose_prior

COUNT = 6


@pytest.fixture
def directions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "examples" / "dream"))
    import directions as module  # noqa: PLC0415  an example is no package

    yield module
    del sys.modules["directions"]


def test_they_are_orthonormal_and_in_order(directions) -> None:
    found = directions.find_directions(load_pose_prior(threads=1), COUNT)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(COUNT), atol=1e-12)
    assert (np.diff(found.share) < 0).all()
    assert found.share.sum() < 1
    assert (found.motion_m[:, 0] == 0).all(), "the pelvis is the root"
    squared = (found.motion_m**2).sum(axis=1)
    np.testing.assert_allclose(squared / squared[0], found.share / found.share[0], rtol=1e-6)


def test_a_step_along_them_moves_other_samples_more_than_a_step_along_any_other_way(directions) -> None:
    prior = load_pose_prior(threads=1)
    axes = directions.find_directions(prior, COUNT).axes
    generator = np.random.default_rng(5)
    latent = generator.standard_normal((400, prior.latent_dim))
    others = np.linalg.qr(generator.standard_normal((prior.latent_dim, prior.latent_dim)))[0]

    def motion(way: np.ndarray) -> float:
        moved = prior.decode(latent + 0.1 * way) - prior.decode(latent - 0.1 * way)
        return float((moved**2).sum(axis=(1, 2)).mean())

    assert motion(axes[0]) > 2 * max(motion(way) for way in others)
