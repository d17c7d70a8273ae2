"""The parts against dense linear algebra."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pose_mdn.fusion import symmetric
from pose_mdn.fusion.body_gaussian import Information, condition
from pose_mdn.fusion.product import multiply
from pose_mdn.fusion.terms import Lifted

JOINTS = 16


def random_spd(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    factor = rng.normal(size=(*shape, 3, 3))
    return scale * (factor @ factor.swapaxes(-1, -2) + 0.3 * np.eye(3))


def packed(matrix: np.ndarray) -> np.ndarray:
    return np.stack([matrix[..., i, j] for i, j in zip(*np.triu_indices(3), strict=True)])


def moved(vector: np.ndarray) -> np.ndarray:
    return np.moveaxis(vector, -1, 0)


def test_symmetric_matrices_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    first, second, vector = random_spd(rng, 5, 4), random_spd(rng, 5, 4), rng.normal(size=(5, 4, 3))
    inverted, determinant = symmetric.inverse(packed(first))
    np.testing.assert_allclose(symmetric.full(inverted), np.linalg.inv(first), rtol=1e-9)
    np.testing.assert_allclose(determinant, np.linalg.det(first), rtol=1e-9)
    product = symmetric.chain(packed(first), packed(second), packed(first))
    np.testing.assert_allclose(symmetric.full(product), first @ second @ first, rtol=1e-9)
    np.testing.assert_allclose(
        np.moveaxis(symmetric.times(packed(first), moved(vector)), 0, -1), (first @ vector[..., None])[..., 0]
    )
    np.testing.assert_allclose(symmetric.full(symmetric.outer(moved(vector))), vector[..., None] * vector[..., None, :])


def test_a_body_is_the_dense_solution_of_51_equations() -> None:
    rng = np.random.default_rng(1)
    w, lift, root = random_spd(rng, JOINTS), random_spd(rng, JOINTS), random_spd(rng)
    p, m, q = rng.normal(size=(JOINTS, 3)), rng.normal(size=(JOINTS, 3)), rng.normal(size=3)

    precision, vector = np.zeros((51, 51)), np.zeros(51)
    precision[:3, :3], vector[:3] = root, root @ q
    for joint in range(JOINTS):
        own = slice(3 + 3 * joint, 6 + 3 * joint)
        to_pixel = np.zeros((3, 51))
        to_pixel[:, :3] = to_pixel[:, own] = np.eye(3)
        precision += to_pixel.T @ w[joint] @ to_pixel
        vector += to_pixel.T @ w[joint] @ p[joint]
        precision[own, own] += lift[joint]
        vector[own] += lift[joint] @ m[joint]

    def information(matrix: np.ndarray, mean: np.ndarray) -> Information:
        return Information(precision=packed(matrix), vector=moved((matrix @ mean[..., None])[..., 0]))

    body = condition(information(w, p), information(lift, m), information(root, q))
    covariance, mean = np.linalg.inv(precision), np.linalg.solve(precision, vector)
    np.testing.assert_allclose(body.pelvis, mean[:3], atol=1e-9)
    np.testing.assert_allclose(body.joints.T.ravel(), mean[3:], atol=1e-9)
    np.testing.assert_allclose(body.exponent, vector @ mean)
    np.testing.assert_allclose(body.log_determinant, np.linalg.slogdet(precision)[1])
    np.testing.assert_allclose(symmetric.full(body.pelvis_covariance), covariance[:3, :3], atol=1e-12)
    for joint in range(JOINTS):
        own = slice(3 + 3 * joint, 6 + 3 * joint)
        np.testing.assert_allclose(body.joint_covariance[joint], covariance[own, own], atol=1e-12)


@pytest.mark.parametrize("most", [12, 4])
def test_weights_are_the_evidence_of_products_of_gaussians(most: int) -> None:
    """Of two views without pixels: alpha beta N(m; n, A + B), joint by joint and for the pelvis."""
    rng = np.random.default_rng(2)
    hypotheses, joints = (3, 4), 2
    mean = [rng.normal(size=(count, joints, 3)) for count in hypotheses]
    covariance = [random_spd(rng, count, joints, scale=0.5) for count in hypotheses]
    root = np.linalg.inv(random_spd(rng))
    mixing = [rng.dirichlet(np.ones(count)) for count in hypotheses]

    log_evidence = np.array([
        [
            np.log(mixing[0][i] * mixing[1][j])
            + sum(
                multivariate_normal.logpdf(mean[0][i, k], mean[1][j, k], covariance[0][i, k] + covariance[1][j, k])
                for k in range(joints)
            )
            for j in range(hypotheses[1])
        ]
        for i in range(hypotheses[0])
    ])  # fmt: skip
    expected = np.sort(np.exp(log_evidence - np.logaddexp.reduce(log_evidence.ravel())).ravel())[::-1]

    lifted = _two_views(mean, covariance, root, mixing)
    nothing = Information(precision=np.zeros((6, joints, 1)), vector=np.zeros((3, joints, 1)))
    of_pelvis = Information(precision=np.zeros((6, 1)), vector=np.zeros((3, 1)))
    _, weights = multiply(nothing, of_pelvis, lifted, tempered=1.0, most=most)
    kept = expected[:most]
    np.testing.assert_allclose(weights[0], kept / kept.sum(), rtol=2e-3)


def _two_views(mean: list, covariance: list, root: np.ndarray, mixing: list) -> Lifted:
    most, joints = max(map(len, mean)), mean[0].shape[1]
    sizes = (1, 2, most)
    precision, vector = (
        np.ones((6, joints, *sizes)) * packed(np.eye(3))[:, None, None, None, None],
        np.zeros((3, joints, *sizes)),
    )
    exponent, log_determinant, log_mixing = np.zeros(sizes), np.zeros(sizes), np.full(sizes, -np.inf)
    for view in range(2):
        count = len(mean[view])
        inverse = np.linalg.inv(covariance[view])
        times_mean = (inverse @ mean[view][..., None])[..., 0]
        precision[:, :, 0, view, :count] = packed(inverse).swapaxes(1, 2)
        vector[:, :, 0, view, :count] = moved(times_mean).swapaxes(1, 2)
        exponent[0, view, :count] = (times_mean * mean[view]).sum(axis=(1, 2))
        log_determinant[0, view, :count] = np.linalg.slogdet(inverse)[1].sum(axis=1)
        log_mixing[0, view, :count] = np.log(mixing[view])
    pelvis = np.broadcast_to(packed(root)[:, None, None, None], (6, *sizes))
    return Lifted(
        joints=Information(precision=precision, vector=vector),
        pelvis=Information(precision=pelvis, vector=np.zeros((3, *sizes))),
        exponent=exponent,
        log_determinant=log_determinant,
        log_mixing=log_mixing,
    )
