"""Priors by ONNX Runtime, with the bundled model."""

import numpy as np
import pytest

from pose_mdn.errors import BundleError, InputError
from pose_mdn.geometry.upright import turn
from pose_mdn.inference import PosePrior, complete_poses, denoise_poses, fit_poses, load_lifter, load_pose_prior
from pose_mdn.metrics.bodies import worst_asymmetry_mm
from pose_mdn.skeletons import HUMAN36M17


@pytest.fixture(scope="module")
def prior() -> PosePrior:
    return load_pose_prior(threads=1)


@pytest.fixture(scope="module")
def poses(prior: PosePrior) -> np.ndarray:
    return prior.sample(24, seed=5)


def _mean_mm(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(one - other, axis=-1).mean() * 1000)


def test_the_same_seed_gives_the_same_people_and_another_others(prior, poses):
    np.testing.assert_array_equal(prior.sample(24, seed=5), poses)
    assert _mean_mm(prior.sample(24, seed=6), poses) > 50


def test_samples_are_bodies_that_stand_and_differ(prior):
    samples = prior.sample(200, seed=0)
    assert worst_asymmetry_mm(samples).max() < 1e-2
    assert np.mean(samples[:, HUMAN36M17.index("head_top"), 1] < -0.3) > 0.8
    assert samples.std(axis=0).mean() > 0.05
    assert prior.score(samples, samples=16).usual.mean() > 0.9


def test_without_temperature_everybody_is_the_same(prior):
    same = prior.sample(3, seed=1, temperature=0.0)
    np.testing.assert_allclose(same[0], same[2], atol=1e-6)


def test_encoding_and_decoding_gives_a_pose_back(prior, poses):
    encoded = prior.encode(poses)
    assert _mean_mm(prior.decode(encoded.mean, heading_rad=encoded.heading_rad), poses) < 20


def test_a_heading_is_told_and_changes_nothing_else(prior, poses):
    angle = np.linspace(-3.0, 3.0, len(poses))
    turned = turn(poses, np.cos(angle), np.sin(angle)) + 0.7
    plain, other = prior.encode(poses), prior.encode(turned)
    np.testing.assert_allclose(other.mean, plain.mean, atol=2e-3)
    np.testing.assert_allclose(np.exp(1j * (other.heading_rad - plain.heading_rad)), np.exp(1j * angle), atol=1e-4)
    np.testing.assert_allclose(prior.score(turned).bound_nats, prior.score(poses).bound_nats, atol=0.2)


def test_scattered_joints_are_not_plausible(prior, poses):
    scattered = poses[:, np.random.default_rng(0).permutation(17)]
    good, bad = prior.score(poses), prior.score(scattered)
    assert not bad.usual.any()
    assert good.bound_nats.min() > bad.bound_nats.max()


def test_more_samples_raise_the_bound_and_narrow_its_error(prior, poses):
    few, many = prior.score(poses, samples=4), prior.score(poses, samples=256)
    assert many.bound_nats.mean() > few.bound_nats.mean()
    assert many.standard_error_nats.mean() < few.standard_error_nats.mean()


def test_a_pose_that_is_not_finite_keeps_its_row_and_spoils_no_other(prior, poses):
    broken = poses.copy()
    broken[3, 5] = np.nan
    scores, encoded = prior.score(broken), prior.encode(broken)
    assert np.isnan(scores.bound_nats[3])
    assert np.isnan(encoded.mean[3]).all()
    assert not scores.usual[3]
    others = np.arange(len(poses)) != 3
    np.testing.assert_allclose(scores.bound_nats[others], prior.score(poses).bound_nats[others], atol=1e-3)


def test_no_poses_are_no_error(prior):
    assert prior.decode(np.zeros((0, prior.latent_dim))).shape == (0, 17, 3)


def test_interpolation_begins_and_ends_at_the_poses_and_takes_the_shorter_turn(prior, poses):
    start, end = (turn(pose[None], np.cos([a]), np.sin([a]))[0] for pose, a in ((poses[0], 3.0), (poses[1], -3.0)))
    between = prior.interpolate(start, end, 5)
    assert _mean_mm(between[0], start) < 25
    assert _mean_mm(between[-1], end) < 25
    headings = prior.encode(between).heading_rad
    assert np.abs(headings).min() > 2.5


def test_completion_keeps_what_is_seen_and_fills_the_rest(prior, poses):
    hidden = HUMAN36M17.index("r_wrist")
    holes = poses.copy()
    holes[:, hidden] = np.nan
    whole = complete_poses(prior, holes)
    kept = np.arange(17) != hidden
    np.testing.assert_array_equal(whole[:, kept], holes[:, kept])
    guess = np.linalg.norm(poses.mean(axis=0)[hidden] - poses[:, hidden], axis=-1).mean()
    assert np.linalg.norm((whole - poses)[:, hidden], axis=-1).mean() < 0.5 * guess


def test_a_pose_without_pelvis_is_found_wherever_it_is(prior, poses):
    shifted = poses[:8] + np.array([0.4, -0.2, 3.0])
    shifted[:, 0] = np.nan
    fitted = fit_poses(prior, shifted)
    assert _mean_mm(fitted.pose_m, poses[:8] + np.array([0.4, -0.2, 3.0])) < 25


def test_denoising_brings_poses_nearer_to_the_truth(prior, poses):
    noisy = poses + 0.04 * np.random.default_rng(1).standard_normal(poses.shape)
    noisy[:, 0] = 0.0
    assert _mean_mm(denoise_poses(prior, noisy, noise_std_m=0.04), poses) < 0.8 * _mean_mm(noisy, poses)


def test_fits_do_not_influence_each_other_and_hopeless_rows_stay(prior, poses):
    holes = poses[:4].copy()
    holes[1] = np.nan
    holes[2, :6] = np.nan
    fitted = fit_poses(prior, holes)
    assert np.isnan(fitted.pose_m[1]).all()
    np.testing.assert_allclose(fitted.pose_m[2], fit_poses(prior, holes[2:3]).pose_m[0], atol=2e-3)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda prior: prior.encode(np.zeros((2, 16, 3))), r"\(N, 17, 3\)"),
        (lambda prior: prior.encode(np.full((1, 17, 3), 500.0) * np.arange(17)[:, None]), "metres"),
        (lambda prior: prior.decode(np.zeros((2, 3))), "latent"),
        (lambda prior: prior.sample(0, seed=0), "count"),
        (lambda prior: prior.sample(1, seed=0, label="sitting"), "not conditioned"),
        (lambda prior: prior.score(np.zeros((1, 17, 3)), samples=1), "samples"),
        (lambda prior: fit_poses(prior, np.zeros((1, 17, 3)), noise_std_m=-1.0), "noise_std_m"),
        (lambda prior: prior.interpolate(np.zeros((17, 3)), np.zeros((17, 3)), 1), "steps"),
    ],
)
def test_what_makes_no_sense_is_refused(prior, call, match):
    with pytest.raises(InputError, match=match):
        call(prior)


def test_lifters_and_priors_are_not_taken_for_each_other():
    with pytest.raises(BundleError, match="lift"):
        load_lifter("pose_vae")
    with pytest.raises(BundleError, match="prior"):
        load_pose_prior("mdn_lifter")
