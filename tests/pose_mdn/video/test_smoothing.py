from dataclasses import replace

import numpy as np
import pytest

from pose_mdn.video import SmoothingSettings
from pose_mdn.video.evidence import Evidence
from pose_mdn.video.linking import link
from pose_mdn.video.motion_model import roughness
from pose_mdn.video.smoothing import smooth

SETTINGS = SmoothingSettings(independent=(0.5, 0.25), lasting=(0.0, 0.0), liveliness=2.0, agility_m_s=1e6)


def _evidence(seed: int, rows: int, hypotheses: int) -> Evidence:
    rng = np.random.default_rng(seed)
    slots = 17
    return Evidence(
        time_s=np.cumsum(rng.uniform(0.02, 0.1, rows)),
        log_mixing=np.log(rng.dirichlet(np.ones(hypotheses), rows)),
        position=0.3 * rng.normal(size=(rows, hypotheses, slots, 3)),
        variance=rng.uniform(0.001, 0.02, (rows, hypotheses, slots, 2)),
        intensity=np.repeat(rng.uniform(0.2, 2.0, (1, slots, 2)), rows, axis=0),
    )


def _dense(time_s: np.ndarray, value: np.ndarray, noise: np.ndarray, intensity: float) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of T positions, by one solution for all positions and velocities."""
    rows = len(time_s)
    precision, target = np.zeros((2 * rows, 2 * rows)), np.zeros(2 * rows)
    for row in range(rows):
        precision[2 * row, 2 * row] += 1 / noise[row]
        target[2 * row] += value[row] / noise[row]
        if row:
            dt = time_s[row] - time_s[row - 1]
            motion = intensity * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
            residual = np.zeros((2, 2 * rows))
            residual[:, 2 * row : 2 * row + 2] = np.eye(2)
            residual[:, 2 * row - 2 : 2 * row] = [[-1, -dt], [0, -1]]
            precision += residual.T @ np.linalg.solve(motion, residual)
    covariance = np.linalg.inv(precision)
    return (covariance @ target)[::2], covariance.diagonal()[::2]


@pytest.mark.parametrize("rows", [2, 3, 9])
def test_one_component_is_smoothed_as_by_a_dense_solution(rows: int) -> None:
    evidence = _evidence(rows, rows, 1)
    smoothed = smooth(evidence, SETTINGS)
    for slot, axis, kind in ((3, 0, 0), (9, 1, 0), (16, 2, 1)):
        mean, variance = _dense(
            evidence.time_s,
            evidence.position[:, 0, slot, axis],
            SETTINGS.independent[kind] * evidence.variance[:, 0, slot, kind],
            SETTINGS.liveliness * evidence.intensity[0, slot, kind],
        )
        np.testing.assert_allclose(smoothed.position[:, 0, slot, axis], mean, atol=1e-6)
        np.testing.assert_allclose(smoothed.variance[:, 0, slot, kind], variance, rtol=1e-4)


def test_the_roughness_is_the_precision_of_the_same_model() -> None:
    evidence = _evidence(1, 8, 1)
    value, noise = evidence.position[:, 0, 5, 0], evidence.variance[:, 0, 5, 0]
    mean, variance = _dense(evidence.time_s, value, noise, 0.7)
    precision = roughness(evidence.time_s, np.full(7, 0.7)) + np.diag(1 / noise)
    np.testing.assert_allclose(np.linalg.solve(precision, value / noise), mean, atol=1e-9)
    np.testing.assert_allclose(np.linalg.inv(precision).diagonal(), variance, rtol=1e-6)


def test_straight_lines_have_no_roughness() -> None:
    time_s = np.array([0.0, 0.1, 0.15, 0.5, 0.9])
    np.testing.assert_allclose(roughness(time_s, np.ones(4)) @ np.stack([np.ones(5), time_s], axis=1), 0.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_film_played_backwards_is_smoothed_alike(seed: int) -> None:
    evidence = _evidence(seed, 12, 4)
    turned = replace(evidence.take(slice(None, None, -1)), time_s=-evidence.time_s[::-1])
    forwards, backwards = smooth(evidence, SETTINGS), smooth(turned, SETTINGS)
    np.testing.assert_allclose(forwards.probability, backwards.probability[::-1], atol=1e-10)
    np.testing.assert_allclose(forwards.position, backwards.position[::-1], atol=1e-6)
    np.testing.assert_allclose(forwards.variance, backwards.variance[::-1], atol=1e-8)


def test_probabilities_are_those_of_linking_alone() -> None:
    evidence = _evidence(5, 12, 4)
    np.testing.assert_allclose(smooth(evidence, SETTINGS).probability, link(evidence, SETTINGS).probability, atol=1e-10)


def test_the_names_of_components_do_not_matter() -> None:
    evidence = _evidence(6, 10, 3)
    order = np.argsort(np.random.default_rng(0).random((10, 3)), axis=1)
    renamed = replace(
        evidence,
        **{
            name: getattr(evidence, name)[np.arange(10)[:, None], order]
            for name in ("log_mixing", "position", "variance")
        },
    )
    expected, found = smooth(evidence, SETTINGS), smooth(renamed, SETTINGS)
    rows = np.arange(10)[:, None]
    np.testing.assert_allclose(found.probability, expected.probability[rows, order], atol=1e-10)
    np.testing.assert_allclose(found.position, expected.position[rows, order], atol=1e-6)


def test_steady_motion_stays() -> None:
    evidence = _evidence(7, 15, 1)
    rng = np.random.default_rng(1)
    start, speed = rng.normal(size=(2, 1, 1, 17, 3))
    steady = start + speed * evidence.time_s[:, None, None, None]
    smoothed = smooth(replace(evidence, position=steady), SETTINGS)
    np.testing.assert_allclose(smoothed.position, steady, atol=1e-6)


def test_more_rows_tell_more_and_what_lasts_is_kept() -> None:
    evidence = _evidence(8, 15, 1)
    alone = smooth(evidence.take(slice(7, 8)), SETTINGS)
    among = smooth(evidence, SETTINGS)
    assert (among.variance[7] < alone.variance[0]).all()
    np.testing.assert_allclose(alone.position[0], evidence.position[7], atol=1e-6)
    lasting = smooth(evidence, replace(SETTINGS, lasting=(0.5, 2.0)))
    np.testing.assert_allclose(lasting.variance - among.variance, np.array([0.5, 2.0]) * evidence.variance, rtol=1e-6)
