import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.lecture.example import no_progress
from pose_mdn.lecture.inverse_problem import largest_gradient_difference
from pose_mdn.lecture.mixture_network import MixtureNetwork, fit_mixture, minimize, output_gradients, split_outputs

seeds = st.integers(0, 2**32 - 1)


def _outputs(seed: int, kernels: int, targets: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(5, kernels * (targets + 2)))), torch.from_numpy(
        rng.normal(size=(5, targets))
    )


@given(seeds, st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_the_three_closed_gradients_equal_automatic_differentiation(seed, kernels, targets):
    outputs, target = _outputs(seed, kernels, targets)
    assert largest_gradient_difference(outputs, target, kernels) < 1e-6


def test_the_gradients_are_those_of_the_book_for_one_target():
    outputs, target = _outputs(3, 2, 1)
    kernels = split_outputs(outputs, 2)
    mixture, closed = kernels.mixture(), output_gradients(kernels, target)
    gamma, sigma = mixture.responsibilities(target), mixture.std[..., 0]
    offset = kernels.means[..., 0] - target
    torch.testing.assert_close(closed.mixing_logits, mixture.mixing_coefficients - gamma)
    torch.testing.assert_close(closed.means[..., 0], gamma * offset / sigma**2)
    # By the logarithm of sigma: sigma times Bishop's -gamma (offset^2 / sigma^3 - 1 / sigma).
    torch.testing.assert_close(closed.log_std, -gamma * (offset**2 / sigma**3 - 1 / sigma) * sigma)


@pytest.mark.parametrize(("kernels", "targets"), [(3, 1), (2, 2), (5, 48)])
def test_a_kernel_has_as_many_outputs_as_targets_and_two_more(kernels, targets):
    network = MixtureNetwork(
        num_inputs=1, num_hidden=4, num_kernels=kernels, num_targets=targets, generator=torch.Generator()
    )
    assert network.network.outputs.out_features == kernels * (targets + 2)
    outputs = network(torch.zeros(7, 1, dtype=torch.float64))
    assert outputs.means.shape == (7, kernels, targets)
    assert outputs.log_std.shape == outputs.mixing_logits.shape == (7, kernels)


def test_conditional_mean_and_variance_equal_those_of_samples():
    outputs, _ = _outputs(1, 3, 2)
    mixture = split_outputs(outputs, 3).mixture()
    samples = mixture.sample(100_000, np.random.default_rng(0))
    torch.testing.assert_close(samples.mean(0), mixture.mean, atol=0.03, rtol=0.02)
    # An isotropic kernel: PRML 5.160 is the sum of the coordinates' variances.
    alpha, means = mixture.mixing_coefficients, mixture.means
    within = 2 * mixture.std[..., 0] ** 2
    between = (means - mixture.mean[:, None]).square().sum(-1)
    torch.testing.assert_close(mixture.variance.sum(-1), (alpha * (within + between)).sum(-1))
    torch.testing.assert_close(samples.var(0), mixture.variance, rtol=0.05, atol=0.02)


def test_a_network_starts_as_the_distribution_of_its_targets():
    target = torch.linspace(0, 1, 100, dtype=torch.float64)[:, None]
    network = MixtureNetwork(num_inputs=1, num_hidden=8, num_kernels=4, num_targets=1, generator=torch.Generator())
    network.spread_over(target)
    mixture = network(torch.zeros(1, 1, dtype=torch.float64)).mixture()
    torch.testing.assert_close(mixture.mean, target.mean()[None, None], atol=0.3, rtol=0)
    assert mixture.variance.sqrt().item() == pytest.approx(target.std().item(), rel=0.6)


def test_two_branches_get_a_kernel_each():
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    inputs = torch.from_numpy(rng.uniform(-1, 1, (200, 1)))
    target = inputs * 0.2 + torch.from_numpy(rng.choice([-1.0, 1.0], (200, 1)) + 0.05 * rng.normal(size=(200, 1)))
    networks = [
        MixtureNetwork(num_inputs=1, num_hidden=6, num_kernels=2, num_targets=1, generator=generator) for _ in range(2)
    ]
    for network in networks:
        network.spread_over(target)
    mixture = fit_mixture(networks, inputs, target, steps=200, progress=no_progress)(inputs).mixture()
    assert mixture.means[..., 0].sort(dim=-1).values.mean(0).tolist() == pytest.approx([-1, 1], abs=0.1)
    assert mixture.mixing_coefficients.min() > 0.3


def test_minimising_tells_every_step():
    parameter = torch.nn.Parameter(torch.tensor(3.0))
    told: list[tuple[str, int, int]] = []
    history = minimize(
        parameter.square,
        [parameter],
        steps=50,
        learning_rate=0.3,
        progress=lambda *words: told.append(words),
        what="a square",
    )
    assert told == [("a square", step, 50) for step in range(1, 51)]
    assert history[0] == 9.0
    assert history[-1] < 0.1
