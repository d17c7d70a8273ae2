r"""Bishop's toy inverse problem.

.. math:: x = t + 0.3 \sin 2 \pi t + \epsilon, \qquad t \sim U(0, 1), \quad \epsilon \sim U(-0.1, 0.1)

From t to x there is one answer, and least squares finds it. Asked from x to t, up to three answers fit, and least
squares gives their mean, which is none of them: it can only find the conditional mean. A mixture density network with
three kernels finds the conditional density. Bishop, "Mixture Density Networks", 1994, section 4; PRML, figures 5.19 and
5.21.

The exact conditional density is known here (uniform over the answers that fit), and so is the error function's lowest
possible value: the mean logarithm of how much room x leaves for t.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_mdn.distributions import GaussianMixture
from pose_mdn.lecture.example import Finding, Outcome, Progress
from pose_mdn.lecture.mixture_network import (
    KernelOutputs,
    MixtureNetwork,
    TanhNetwork,
    fit_mixture,
    minimize,
    output_gradients,
    split_outputs,
)
from pose_mdn.losses.mixture_nll import mixture_nll

Floats = NDArray[np.float64]

NOISE = 0.1
NUM_KERNELS = 3
_NUM_HIDDEN = 20
_NUM_STARTS = 5
_GRID = 401


@dataclass(frozen=True, kw_only=True)
class InverseProblem:
    """The data, and the networks' answers along x.

    Attributes:
        t: (N,) causes.
        x: (N,) effects.
        grid: (G,) values in [0, 1].
        forward: (G,) least squares from t to x at t = grid.
        inverse: (G,) least squares from x to t at x = grid.
        mixture: G mixtures over t at x = grid, in NumPy.
    """

    t: Floats
    x: Floats
    grid: Floats
    forward: Floats
    inverse: Floats
    mixture: GaussianMixture


def effect(t: Floats) -> Floats:
    """The x that t causes, without its noise."""
    return t + 0.3 * np.sin(2.0 * np.pi * t)


def draw_data(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(count,) causes t and effects x."""
    t = rng.uniform(size=count)
    return t, effect(t) + rng.uniform(-NOISE, NOISE, count)


def lowest_nll(x: Floats) -> float:
    """Mean of -log p(t | x) of the true density: of the logarithm of the length of {t : |x - effect(t)| < noise}."""
    t = np.linspace(0.0, 1.0, 20_001)
    sorted_effects = np.sort(effect(t))
    inside = np.searchsorted(sorted_effects, x + NOISE) - np.searchsorted(sorted_effects, x - NOISE)
    return float(np.mean(np.log(inside / len(t))))


def true_mean(x: Floats) -> Floats:
    """The exact conditional mean of t, the best that least squares can do; NaN where no t causes x."""
    t = np.linspace(0.0, 1.0, 2001)
    fits = np.abs(effect(t) - x[:, None]) < NOISE
    with np.errstate(invalid="ignore"):
        return np.asarray((fits * t).sum(axis=1) / fits.sum(axis=1))


def run(*, seed: int, quick: bool, progress: Progress) -> Outcome:
    """Least squares and a mixture density network on the same data, in both directions."""
    from pose_mdn.lecture.inverse_problem_picture import draw  # noqa: PLC0415  (it needs this module's names)

    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    t, x = draw_data(200 if quick else 1000, rng)
    settings: dict[str, Any] = {"steps": 40 if quick else 3000, "generator": generator, "progress": progress}
    forward = _least_squares(t, x, **settings, what="least squares, t to x")
    inverse = _least_squares(x, t, **settings, what="least squares, x to t")
    network = _fit_mixture(x, t, **settings)
    grid = np.linspace(0.0, 1.0, _GRID)
    with torch.no_grad():
        problem = InverseProblem(
            t=t,
            x=x,
            grid=grid,
            forward=forward(_column(grid))[:, 0].numpy(),
            inverse=inverse(_column(grid))[:, 0].numpy(),
            mixture=_in_numpy(network(_column(grid)).mixture()),
        )
    fresh = draw_data(500 if quick else 20_000, rng)
    findings = [*_errors(forward, inverse, *fresh), *_likelihoods(network, inverse, *fresh), *_formulas(network, rng)]
    return Outcome(findings=findings, draw=lambda: draw(problem))


def _column(values: Floats) -> Tensor:
    return torch.from_numpy(values)[:, None]


def _least_squares(
    given: Floats, wanted: Floats, *, steps: int, generator: torch.Generator, progress: Progress, what: str
) -> TanhNetwork:
    network = TanhNetwork(1, _NUM_HIDDEN, 1, generator)
    inputs, target = _column(given), _column(wanted)

    def loss() -> Tensor:
        return (network(inputs) - target).square().mean()

    minimize(loss, network.parameters(), steps=steps, learning_rate=0.03, progress=progress, what=what)
    return network


def _fit_mixture(x: Floats, t: Floats, *, steps: int, generator: torch.Generator, progress: Progress) -> MixtureNetwork:
    inputs, target = _column(x), _column(t)
    networks = [
        MixtureNetwork(
            num_inputs=1, num_hidden=_NUM_HIDDEN, num_kernels=NUM_KERNELS, num_targets=1, generator=generator
        )
        for _ in range(_NUM_STARTS)
    ]
    for network in networks:
        network.spread_over(target)
    return fit_mixture(networks, inputs, target, steps=steps, progress=progress)


def _in_numpy(mixture: GaussianMixture) -> GaussianMixture:
    return GaussianMixture(
        log_mixing_coefficients=mixture.log_mixing_coefficients.numpy(),
        means=mixture.means.numpy(),
        std=mixture.std.numpy(),
    )


def _errors(forward: TanhNetwork, inverse: TanhNetwork, t: Floats, x: Floats) -> list[Finding]:
    with torch.no_grad():
        forward_error = forward(_column(t))[:, 0].numpy() - x
        answer = inverse(_column(x))[:, 0].numpy()
    return [
        Finding(
            name="forward_rmse",
            value=float(np.sqrt(np.mean(forward_error**2))),
            meaning="RMS error of least squares from t to x",
            expected=f"the noise's {NOISE / math.sqrt(3):.4f}",
        ),
        Finding(
            name="inverse_rmse",
            value=float(np.sqrt(np.mean((answer - t) ** 2))),
            meaning="RMS error of least squares from x to t",
            expected="large: it gives the mean of up to three answers",
        ),
        Finding(
            name="true_mean_rmse",
            value=float(np.sqrt(np.mean((true_mean(x[:2000]) - t[:2000]) ** 2))),
            meaning="RMS error of the exact conditional mean, the best that least squares can reach",
            expected="as large",
        ),
        _share_impossible("least_squares", "of least squares", answer, x, "many: a mean of answers is no answer"),
    ]


def _share_impossible(name: str, whose: str, answer: Floats, x: Floats, expected: str) -> Finding:
    return Finding(
        name=f"{name}_impossible",
        value=float(np.mean(np.abs(effect(answer) - x) > NOISE)),
        meaning=f"share of answers {whose} that cannot have caused x",
        expected=expected,
    )


def _likelihoods(network: MixtureNetwork, inverse: TanhNetwork, t: Floats, x: Floats) -> list[Finding]:
    with torch.no_grad():
        mixture = network(_column(x)).mixture()
        nll = mixture_nll(mixture, _column(t)).mean().item()
        variance = (inverse(_column(x)) - _column(t)).square().mean().item()
    answer = _in_numpy(mixture).most_probable_mean[:, 0]
    return [
        _share_impossible("mode", "at the most probable kernel", answer, x, "few"),
        Finding(
            name="least_squares_nll",
            value=0.5 * (1.0 + math.log(2.0 * math.pi * variance)),
            meaning="negative log-likelihood of least squares with its best variance, nats",
            expected="high",
        ),
        Finding(name="mixture_nll", value=nll, meaning="that of the mixture, nats", expected="near the lowest"),
        Finding(
            name="lowest_nll",
            value=lowest_nll(x),
            meaning="that of the true density, the lowest possible, nats",
            expected="no network below it",
        ),
    ]


def _formulas(network: MixtureNetwork, rng: np.random.Generator) -> list[Finding]:
    """The book's formulas against automatic differentiation and against sampling."""
    t, x = draw_data(64, rng)
    with torch.no_grad():
        outputs = network.network(_column(x))
        mixture = _in_numpy(split_outputs(outputs, NUM_KERNELS).mixture())
    samples = mixture.sample(20_000, rng)[..., 0]
    spread = np.sqrt(mixture.variance[:, 0])
    return [
        Finding(
            name="outputs_per_kernel",
            value=outputs.shape[-1] / NUM_KERNELS,
            meaning="network outputs for each kernel, t having L = 1 coordinate",
            expected="L + 2",
        ),
        Finding(
            name="gradient_difference",
            value=largest_gradient_difference(outputs, _column(t), NUM_KERNELS),
            meaning="largest difference of the three closed gradients from automatic differentiation",
            expected="below 1e-6",
        ),
        Finding(
            name="mean_difference",
            value=float(np.max(np.abs(samples.mean(0) - mixture.mean[:, 0]) / spread)),
            meaning="largest difference of conditional means from those of 20 000 samples, standard deviations",
            expected="about 0.02",
        ),
        Finding(
            name="variance_ratio",
            value=float(np.mean(samples.var(0) / mixture.variance[:, 0])),
            meaning="variance of the samples over the formula's",
            expected="1",
        ),
    ]


def largest_gradient_difference(outputs: Tensor, target: Tensor, num_kernels: int) -> float:
    """How far `output_gradients` is from automatic differentiation at (B, M (L + 2)) activations."""
    leaf = outputs.detach().clone().requires_grad_()
    mixture_nll(split_outputs(leaf, num_kernels).mixture(), target).sum().backward()
    closed: KernelOutputs = output_gradients(split_outputs(outputs.detach(), num_kernels), target)
    flat = torch.cat([closed.mixing_logits, closed.means.flatten(-2), closed.log_std], dim=-1)
    assert leaf.grad is not None
    return (leaf.grad - flat).abs().max().item()
