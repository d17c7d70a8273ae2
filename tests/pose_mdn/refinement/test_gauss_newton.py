from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime, least_squares

from pose_mdn.geometry.camera import Camera
from pose_mdn.refinement.gauss_newton import descend
from pose_mdn.refinement.objective import Objective
from pose_mdn.refinement.posterior import objective_of
from pose_mdn.refinement.settings import RefinementSettings, fitted_numbers
from pose_mdn.skeletons import HUMAN36M17

FISHEYE = {"distortion": np.array([0.05, -0.01, 0.003, 0.0]), "lens_model": "fisheye"}
BROWN = {"distortion": np.array([-0.12, 0.03, 1e-3, -8e-4, 0.01])}
MATRIX = np.array([[1100.0, 3.0, 640.0], [0.0, 1050.0, 360.0], [0.0, 0.0, 1.0]])


def _unpack(unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    joints = np.zeros((3, 17, 1))
    joints[:, 1:, 0] = unknowns[:48].reshape(16, 3).T
    return joints, unknowns[48:, None]


def _start(objective: Objective) -> np.ndarray:
    return np.concatenate([objective.means_m[:, 1:, 0].T.ravel(), objective.root_m[:, 0]])


def test_energy_never_rises_and_comes_to_rest(lifted) -> None:
    for noise_px, spread in ((0.0, 0.5), (8.0, 1.0), (30.0, 6.0)):
        found = descend(objective_of(lifted(noise_px=noise_px, spread=spread), RefinementSettings(noise=0.003)), 60)
        assert np.isfinite(found.energies).all()
        assert (np.diff(found.energies, axis=0) <= 0).all()
        assert (found.energies[0] - found.energies[-1] > 1.0).all()
        still_falling = found.energies[-10] - found.energies[-1] > 0.02 * (found.energies[0] - found.energies[-1])
        assert still_falling.mean() < 0.05


@pytest.mark.parametrize("lens", [{}, BROWN, FISHEYE])
def test_gradients_are_those_of_the_energy(lifted, lens) -> None:
    hypotheses = lifted(rows=1, noise_px=5.0, camera=Camera(intrinsics=MATRIX, **lens))
    objective = objective_of(hypotheses.take(slice(0, 1)), RefinementSettings(noise=0.01))
    one = _first(objective)
    away = _start(one) + 0.02 * np.random.default_rng(0).normal(size=51)
    numeric = approx_fprime(away, lambda x: float(one.energy(*_unpack(x))[0]), 1e-7)
    _, downhill, root_downhill = one.expansion(*_unpack(away))
    analytic = -np.concatenate([downhill[:, 1:, 0].T.ravel(), root_downhill[:, 0]])
    np.testing.assert_allclose(analytic, numeric, rtol=2e-3, atol=2e-3 * np.abs(numeric).max())


def _first(objective: Objective) -> Objective:
    """The first of its hypotheses alone."""
    observed = objective.observed
    return replace(
        objective,
        observed=replace(
            observed,
            slopes=observed.slopes[..., :1],
            precision=observed.precision[..., :1],
            confidence=observed.confidence[..., :1],
        ),
        means_m=objective.means_m[..., :1],
        precision=objective.precision[..., :1],
        root_m=objective.root_m[..., :1],
        lengths_m=objective.lengths_m[..., :1],
    )


def _residuals(objective: Objective, camera: Camera, seen_px: np.ndarray, noise_px: float, settings):
    """The same energy as a sum of squares, written apart: whitened prior, pixels by the camera itself, bones."""
    roots = [np.linalg.cholesky(objective.precision[:, :, joint, 0]).T for joint in range(1, 17)]
    nu, beta = settings.fitted.degrees_of_freedom, settings.news_weight

    def residuals(unknowns: np.ndarray) -> np.ndarray:
        joints, root = _unpack(unknowns)
        moved = (joints - objective.means_m)[..., 0]
        prior = [whiten @ moved[:, joint] for joint, whiten in enumerate(roots, start=1)]
        pose = joints[..., 0].T
        square = np.square((camera.project(pose + root[:, 0]) - seen_px) / noise_px).sum(axis=-1)
        robust = np.sqrt(beta * (nu + 2) * np.log1p(square / nu))
        parents, children = np.array(HUMAN36M17.bones).T
        lengths = np.linalg.norm(pose[children] - pose[parents], axis=-1)
        stated = objective.lengths_m[:, 0]
        return np.concatenate([*prior, robust, (lengths / stated - 1) / settings.fitted.bone_share])

    return residuals


@pytest.mark.parametrize("seed", range(2))
def test_the_bottom_is_where_scipy_finds_it(lifted, seed) -> None:
    settings = RefinementSettings(noise=0.008)
    camera = Camera(intrinsics=MATRIX)
    # Shaken harder, limbs have several valleys to fall into, and which one they find depends on the steps.
    hypotheses = lifted(rows=1, noise_px=4.0, spread=0.3, seed=seed, camera=camera)
    objective = _first(objective_of(hypotheses, settings))
    found = descend(objective, 200)
    seen = hypotheses.keypoints_px[0].astype(np.float64)
    noise_px = settings.noise * np.linalg.norm(np.ptp(seen, axis=0))
    residuals = _residuals(objective, camera, seen, noise_px, settings)
    oracle = least_squares(residuals, _start(objective), xtol=1e-12, ftol=1e-12, gtol=1e-12)
    assert found.energies[0, 0] == pytest.approx(0.5 * np.square(residuals(_start(objective))).sum(), rel=1e-9)
    assert found.energies[-1, 0] == pytest.approx(oracle.cost, rel=1e-4)
    joints, root = _unpack(oracle.x)
    np.testing.assert_allclose(found.joints_m, joints, atol=2e-3)
    np.testing.assert_allclose(found.root_m, root, atol=2e-2)


def test_without_a_prior_perfect_keypoints_are_met(lifted) -> None:
    fitted = replace(fitted_numbers(), bone_share=10.0)
    hypotheses = lifted()
    objective = objective_of(hypotheses, RefinementSettings(noise=0.01, prior_weight=0.0, fitted=fitted))
    found = descend(objective, 60)
    position = found.joints_m + found.root_m[:, None]
    error_px = 1100 * np.linalg.norm(position[:2] / position[2] - objective.observed.slopes, axis=0)
    assert error_px.max() < 0.05


def test_a_joint_behind_the_camera_is_no_way_down(lifted) -> None:
    hypotheses = lifted(rows=4)
    near = replace(hypotheses, root_translation_m=hypotheses.root_translation_m * np.float32([1, 1, 0.15]))
    found = descend(objective_of(near, RefinementSettings(noise=0.01)), 30)
    usable = np.isfinite(found.energies[0])
    assert usable.any()
    assert (found.joints_m + found.root_m[:, None])[2][:, usable].min() > 0.0
