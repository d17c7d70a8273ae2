from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import maximum_filter
from scipy.spatial.transform import Rotation
from scipy.stats import multivariate_normal, ortho_group

from pose_mdn.distributions import GaussianMixture, PoseMixture, find_modes
from pose_mdn.distributions.gaussian_pair import GaussianPair
from pose_mdn.distributions.mean_shift import curvature, mean_shift, take_rows
from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.distributions.ridgeline import ridgeline
from pose_mdn.errors import InputError

seeds = st.integers(0, 2**32 - 1)
RAY_LINDSAY = GaussianMixture(
    log_mixing_coefficients=np.log([0.5, 0.5]),
    means=np.array([[0.0, 0.0], [1.0, 1.0]]),
    std=np.sqrt([[1.0, 0.05], [0.05, 1.0]]),
)


def _mixture(seed: int, *, batch: tuple[int, ...] = (3,), components: int = 4, dimensions: int = 3) -> GaussianMixture:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(*batch, components))
    return GaussianMixture(
        log_mixing_coefficients=logits - log_sum_exp(logits)[..., None],
        means=rng.normal(size=(*batch, components, dimensions)),
        std=rng.uniform(0.1, 0.9, (*batch, components, dimensions)),
    )


def _all_modes(mixture: GaussianMixture) -> list[tuple[GaussianMixture, np.ndarray]]:
    modes = mixture.modes()
    return [
        (take_rows(mixture, row), point)
        for row in range(len(modes.count))
        for point in modes.points[row, : modes.count[row]]
    ]


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_the_gradient_is_zero_and_the_hessian_negative_definite_at_each_mode(seed):
    for row, point in _all_modes(_mixture(seed, batch=(1,))):
        twin = GaussianMixture(
            log_mixing_coefficients=torch.from_numpy(row.log_mixing_coefficients),
            means=torch.from_numpy(row.means),
            std=torch.from_numpy(row.std),
        )
        at = torch.from_numpy(point).requires_grad_()
        (gradient,) = torch.autograd.grad(twin.log_prob(at), at)
        assert gradient.abs().max() < 1e-6
        hessian = torch.autograd.functional.hessian(twin.log_prob, at.detach())
        assert torch.linalg.eigvalsh(hessian).max() < 0


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_rho_tells_where_the_hessian_of_the_density_is_negative_definite(seed):
    mixture = take_rows(_mixture(seed, batch=(1,)), 0)
    points = np.random.default_rng(seed).normal(size=(20, 3))
    twin = GaussianMixture(
        log_mixing_coefficients=torch.from_numpy(mixture.log_mixing_coefficients),
        means=torch.from_numpy(mixture.means),
        std=torch.from_numpy(mixture.std),
    )
    for point, rho in zip(points, curvature(mixture, points), strict=True):
        hessian = torch.autograd.functional.hessian(lambda x: twin.log_prob(x).exp(), torch.from_numpy(point))
        assert (torch.linalg.eigvalsh(hessian).max().item() < 0) == (rho < 1)


@given(seeds)
def test_no_step_of_mean_shift_goes_downhill_and_all_land_on_the_ridgeline(seed):
    mixture = _mixture(seed)
    points = 3 * np.random.default_rng(seed).normal(size=(3, 3))
    shifted = mean_shift(mixture, points)
    assert (mixture.log_prob(shifted) >= mixture.log_prob(points) - 1e-12).all()
    np.testing.assert_allclose(shifted, ridgeline(mixture, mixture.responsibilities(points)))


@given(seeds)
def test_one_gaussian_has_its_mean_for_a_mode_and_far_ones_have_theirs(seed):
    single = _mixture(seed, components=1)
    np.testing.assert_allclose(single.modes().points, single.means, atol=1e-9)
    apart = _mixture(seed)
    corners = 40.0 * np.eye(4)[:, :3]
    modes = GaussianMixture(
        log_mixing_coefficients=apart.log_mixing_coefficients, means=corners + 0 * apart.means, std=apart.std
    ).modes()
    assert (modes.count == 4).all()
    for row in modes.points:
        assert np.linalg.norm(row[:, None] - corners, axis=-1).min(0).max() < 1e-6


@pytest.mark.parametrize(("distance", "count"), [(1.9, 1), (1.99, 1), (2.01, 2), (2.1, 2)])
def test_two_equal_gaussians_part_at_two_standard_deviations(distance, count):
    mixture = GaussianMixture(
        log_mixing_coefficients=np.log([0.5, 0.5]), means=np.array([[0.0], [distance]]), std=np.ones((2, 1))
    )
    assert mixture.modes().count == count


@pytest.mark.parametrize(("std", "count"), [(0.68, 3), (0.72, 4), (0.75, 1)])
def test_three_equal_gaussians_on_a_triangle_may_have_a_fourth_mode_in_its_middle(std, count):
    # Carreira-Perpinan and Williams, "On the number of modes of a Gaussian mixture", 2003.
    angle = 2 * np.pi * np.arange(3) / 3
    mixture = GaussianMixture(
        log_mixing_coefficients=np.log(np.full(3, 1 / 3)),
        means=np.stack([np.cos(angle), np.sin(angle)], axis=-1),
        std=np.full((3, 1), std),
    )
    assert mixture.modes().count == count


def test_two_components_have_three_modes_where_their_ridges_cross():
    modes = RAY_LINDSAY.modes()
    assert modes.count == 3
    np.testing.assert_allclose(modes.points[0], [20 / 21, 1 / 21], atol=1e-6)
    order = np.argsort(modes.points[1:, 1]) + 1
    np.testing.assert_allclose(modes.points[order], [[0, 0], [1, 1]], atol=1e-3)
    assert (np.diff(modes.log_prob) <= 0).all()


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_as_many_modes_as_a_fine_grid_shows(seed):
    mixture = _mixture(seed, batch=(), components=3, dimensions=2)
    mixture = GaussianMixture(
        log_mixing_coefficients=mixture.log_mixing_coefficients, means=mixture.means, std=mixture.std + 0.1
    )
    axis = np.linspace(-5, 5, 401)
    density = mixture.log_prob(np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1))
    peaks = np.argwhere(density == maximum_filter(density, size=7))
    on_grid = axis[peaks[((peaks > 0) & (peaks < 400)).all(-1)]]
    modes = mixture.modes()
    # A grid may show one broad top twice and hide two close ones, so each is asked for the other's.
    for peak in on_grid:
        assert np.linalg.norm(modes.points - peak, axis=-1).min() < 0.2
    assert modes.count <= len(on_grid) + 1


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_modes_go_with_permutations_and_rotations(seed):
    rng = np.random.default_rng(seed)
    mixture = _mixture(seed)
    modes = mixture.modes()
    order = rng.permutation(4)
    permuted = GaussianMixture(
        log_mixing_coefficients=mixture.log_mixing_coefficients[:, order],
        means=mixture.means[:, order],
        std=mixture.std[:, order],
    ).modes()
    np.testing.assert_allclose(permuted.log_prob, modes.log_prob, atol=1e-8)
    isotropic = GaussianMixture(
        log_mixing_coefficients=mixture.log_mixing_coefficients, means=mixture.means, std=mixture.std[..., :1]
    )
    turn = ortho_group.rvs(3, random_state=rng)
    turned = GaussianMixture(
        log_mixing_coefficients=isotropic.log_mixing_coefficients, means=isotropic.means @ turn.T, std=isotropic.std
    )
    np.testing.assert_allclose(turned.modes().log_prob, isotropic.modes().log_prob, atol=1e-8)
    np.testing.assert_allclose(turned.modes().points, isotropic.modes().points @ turn.T, atol=1e-6)


@given(seeds)
def test_a_pair_with_full_covariances_keeps_its_density_and_its_modes_under_rotation(seed):
    rng = np.random.default_rng(seed)
    turn = ortho_group.rvs(2, random_state=rng)
    covariances = np.array([np.diag(row**2) for row in RAY_LINDSAY.std])
    pair = GaussianPair.of(np.array([0.5, 0.5]), RAY_LINDSAY.means @ turn.T, turn @ covariances @ turn.T)
    points = rng.normal(size=(5, 2))
    expected = [
        0.5 * multivariate_normal.pdf(points, mean @ turn.T, turn @ covariance @ turn.T)
        for mean, covariance in zip(RAY_LINDSAY.means, covariances, strict=True)
    ]
    np.testing.assert_allclose(pair.log_prob(points), np.log(np.sum(expected, axis=0)))
    modes = pair.modes()
    assert modes.count == 3
    np.testing.assert_allclose(modes.points[0], turn @ [20 / 21, 1 / 21], atol=1e-6)
    np.testing.assert_allclose(pair.log_prob(modes.points), modes.log_prob)


def test_a_pair_must_be_two_proper_gaussians():
    with pytest.raises(InputError, match="exactly two Gaussians"):
        GaussianPair.of(np.ones(3) / 3, np.zeros((3, 2)), np.stack([np.eye(2)] * 3))
    with pytest.raises(InputError, match="positive definite"):
        GaussianPair.of(np.ones(2) / 2, np.zeros((2, 2)), np.stack([np.eye(2), -np.eye(2)]))


def test_torch_mixtures_bad_rows_and_dead_components():
    mixture = _mixture(5, batch=(2, 3))
    expected = mixture.modes()
    assert expected.points.shape[:2] == (2, 3)
    twin = GaussianMixture(
        log_mixing_coefficients=torch.from_numpy(mixture.log_mixing_coefficients),
        means=torch.from_numpy(mixture.means).requires_grad_(),
        std=torch.from_numpy(mixture.std),
    )
    np.testing.assert_allclose(twin.modes().points, expected.points)
    broken = mixture.means.copy()
    broken[1, 1] = np.nan
    spoiled = GaussianMixture(
        log_mixing_coefficients=mixture.log_mixing_coefficients, means=broken, std=mixture.std
    ).modes()
    assert spoiled.count[1, 1] == 0
    assert np.isnan(spoiled.points[1, 1]).all()
    np.testing.assert_allclose(spoiled.points[0], expected.points[0])
    with np.errstate(divide="ignore"):
        dead = GaussianMixture(
            log_mixing_coefficients=np.log([1.0, 0.0]), means=np.array([[0.0], [9.0]]), std=np.ones((2, 1))
        )
    np.testing.assert_allclose(dead.modes().points, [[0.0]], atol=1e-9)


def test_no_rows_bad_rows_equal_components_and_touching_ones():
    empty = _mixture(0, batch=(0,)).modes()
    assert empty.points.shape == (0, 0, 3)
    flat = GaussianMixture(log_mixing_coefficients=np.log([0.5, 0.5]), means=np.zeros((2, 3)), std=np.zeros((2, 3)))
    assert flat.modes().count == 0
    equal = GaussianMixture(log_mixing_coefficients=np.log([0.5, 0.5]), means=np.ones((2, 3)), std=np.ones((2, 1)))
    np.testing.assert_allclose(equal.modes().points, [[1.0, 1.0, 1.0]])
    # Exactly two standard deviations apart the top is flat to the third order, and still one.
    touching = GaussianMixture(
        log_mixing_coefficients=np.log([0.5, 0.5]), means=np.array([[-1.0], [1.0]]), std=np.ones((2, 1))
    )
    assert touching.modes().count == 1
    needles = GaussianMixture(
        log_mixing_coefficients=np.log([0.5, 0.5]), means=np.array([[0.0], [1.0]]), std=np.full((2, 1), 1e-8)
    )
    np.testing.assert_allclose(np.sort(needles.modes().points[:, 0]), [0.0, 1.0])


def test_many_components_are_searched_in_seconds_not_in_hours():
    mixture = _mixture(0, batch=(1,), components=40, dimensions=2)
    assert 1 <= mixture.modes().count[0] <= 40


def test_samples_as_further_starts_find_nothing_new_and_must_have_their_shape():
    mixture = _mixture(7, batch=(20,))
    samples = np.moveaxis(mixture.sample(50, np.random.default_rng(0)), 0, 1)
    np.testing.assert_array_equal(find_modes(mixture, more_starts=samples).count, mixture.modes().count)
    with pytest.raises(InputError, match=r"more_starts: expected shape \(20, 'S', 3\), got \(50, 20, 3\)"):
        find_modes(mixture, more_starts=mixture.sample(50, np.random.default_rng(0)))


@given(seeds, st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_two_components_have_at_most_one_mode_more_than_dimensions(seed, dimensions):
    mixture = _mixture(seed, batch=(8,), components=2, dimensions=dimensions)
    counts = mixture.modes().count
    assert (counts >= 1).all()
    assert (counts <= dimensions + 1).all()


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_modes_of_poses_turn_with_the_camera(random_hypotheses, seed):
    hypotheses = random_hypotheses(seed, rows=3)
    # Spread wide enough for hypotheses to blend.
    hypotheses = replace(hypotheses, std_m=np.where(hypotheses.std_m > 0, 1.5 + hypotheses.std_m, 0))
    turn = Rotation.random(rng=seed).as_matrix()
    turned = replace(hypotheses, means_m=hypotheses.means_m @ turn.T, view_rotation=turn @ hypotheses.view_rotation)
    modes, expected = PoseMixture(turned).modes(), PoseMixture(hypotheses).modes()
    np.testing.assert_array_equal(modes.count, expected.count)
    np.testing.assert_allclose(modes.log_prob, expected.log_prob, atol=1e-4)
    np.testing.assert_allclose(modes.pose_m, expected.pose_m @ turn.T, atol=2e-3)


def test_modes_of_poses_are_in_the_camera_frame_and_unlifted_rows_have_none(random_hypotheses):
    hypotheses = random_hypotheses(3, rows=4)
    hypotheses.means_m[2] = np.nan
    poses = PoseMixture(hypotheses)
    modes = poses.modes()
    # The fixture's means lie many standard deviations apart, so each is a mode; the pelvis is not random.
    np.testing.assert_array_equal(modes.count, [2, 2, 0, 2])
    order = np.argsort(-modes.log_prob[0])
    np.testing.assert_array_equal(order, [0, 1])
    for row in (0, 1, 3):
        distance = np.linalg.norm(modes.pose_m[row][:, None] - hypotheses.means_m[row], axis=-1).mean(-1)
        assert distance.min(0).max() < 1e-3
    assert (modes.pose_m[[0, 1, 3], :, 0] == 0).all()
    assert np.isnan(modes.pose_m[2]).all()
    np.testing.assert_allclose(poses.log_prob(np.nan_to_num(modes.pose_m[:, 0]))[0], modes.log_prob[0, 0])
