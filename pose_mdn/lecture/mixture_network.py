r"""A mixture density network as in the textbook: one hidden layer of tanh units, (L + 2) outputs for each kernel.

.. math:: p(t | x) = \sum_{i=1}^{M} \alpha_i(x)\, N(t;\, \mu_i(x), \sigma_i(x)^2 I), \qquad t \in R^L

.. math:: \alpha = \mathrm{softmax}(z^\alpha), \qquad \mu_i = z^\mu_i, \qquad \sigma_i = \exp(z^\sigma_i)

Bishop, "Mixture Density Networks", 1994; *Pattern Recognition and Machine Learning*, 2006, section 5.6. Its mixture is
the library's `GaussianMixture` and its error function the library's `mixture_nll`, those of the pose lifter.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose_mdn.distributions import GaussianMixture
from pose_mdn.lecture.example import Progress
from pose_mdn.losses.mixture_nll import mixture_nll


@dataclass(frozen=True, kw_only=True)
class KernelOutputs:
    """Output activations of M kernels over L target coordinates.

    Attributes:
        mixing_logits: (..., M).
        means: (..., M, L).
        log_std: (..., M).
    """

    mixing_logits: Tensor
    means: Tensor
    log_std: Tensor

    def mixture(self) -> GaussianMixture:
        """The mixture that they stand for."""
        return GaussianMixture(
            log_mixing_coefficients=torch.log_softmax(self.mixing_logits, dim=-1),
            means=self.means,
            std=self.log_std.exp()[..., None],
        )


def split_outputs(outputs: Tensor, num_kernels: int) -> KernelOutputs:
    """Name the (..., M (L + 2)) outputs of a network: M logits, M L means, M logarithms of standard deviations."""
    num_targets = outputs.shape[-1] // num_kernels - 2
    logits, means, log_std = outputs.split([num_kernels, num_kernels * num_targets, num_kernels], dim=-1)
    return KernelOutputs(mixing_logits=logits, means=means.unflatten(-1, (num_kernels, num_targets)), log_std=log_std)


def output_gradients(outputs: KernelOutputs, target: Tensor) -> KernelOutputs:
    r"""Derivatives of -log p(t) by the output activations, in closed form.

    With responsibilities :math:`\gamma_i`,

    .. math::
        \alpha_i - \gamma_i, \qquad \gamma_i \frac{\mu_i - t}{\sigma_i^2}, \qquad
        \gamma_i \Big(L - \frac{\|t - \mu_i\|^2}{\sigma_i^2}\Big)

    PRML, equations 5.155 to 5.157, the last by :math:`z^\sigma = \log \sigma` and in L dimensions.

    Args:
        outputs: Activations of batch shape (...).
        target: (..., L) points t.

    Returns:
        The derivatives, each in the place of its activation.
    """
    mixture = outputs.mixture()
    gamma = mixture.responsibilities(target)
    scaled = (outputs.means - target[..., None, :]) / mixture.std
    return KernelOutputs(
        mixing_logits=mixture.mixing_coefficients - gamma,
        means=gamma[..., None] * scaled / mixture.std,
        log_std=gamma * (target.shape[-1] - scaled.square().sum(dim=-1)),
    )


class TanhNetwork(nn.Module):
    """Inputs, one hidden layer of tanh units, linear outputs."""

    def __init__(self, num_inputs: int, num_hidden: int, num_outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.hidden = nn.Linear(num_inputs, num_hidden, dtype=torch.float64)
        self.outputs = nn.Linear(num_hidden, num_outputs, dtype=torch.float64)
        for layer, scale in ((self.hidden, 3.0), (self.outputs, 1.0)):
            nn.init.normal_(layer.weight, std=scale / math.sqrt(layer.in_features), generator=generator)
            nn.init.normal_(layer.bias, generator=generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        return self.outputs(torch.tanh(self.hidden(inputs)))


class MixtureNetwork(nn.Module):
    """A `TanhNetwork` whose outputs are the parameters of a mixture."""

    def __init__(
        self, *, num_inputs: int, num_hidden: int, num_kernels: int, num_targets: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.num_kernels = num_kernels
        self.network = TanhNetwork(num_inputs, num_hidden, num_kernels * (num_targets + 2), generator)

    @torch.no_grad()
    def spread_over(self, target: Tensor) -> None:
        """Start as the target's own distribution: kernels along its first coordinate, as wide as their distance."""
        shares = (torch.arange(self.num_kernels, dtype=target.dtype) + 0.5) / self.num_kernels
        middle = target.mean(dim=0).expand(self.num_kernels, -1).clone()
        middle[:, 0] = torch.quantile(target[:, 0], shares)
        width = math.log(target.std(dim=0).mean().item() / self.num_kernels)
        start = torch.cat([torch.zeros(self.num_kernels), middle.flatten(), torch.full((self.num_kernels,), width)])
        self.network.outputs.weight.mul_(0.1)
        self.network.outputs.bias.copy_(start)

    def forward(self, inputs: Tensor) -> KernelOutputs:
        """(..., inputs) to the activations of the kernels."""
        return split_outputs(self.network(inputs), self.num_kernels)


def fit_mixture(
    networks: Sequence[MixtureNetwork], inputs: Tensor, target: Tensor, *, steps: int, progress: Progress
) -> MixtureNetwork:
    """Maximise the likelihood from several starts, because it has local maxima in which kernels share a branch.

    Args:
        networks: Initialised differently; each takes a tenth of the steps, then the best goes all the way.
        inputs: (N, inputs).
        target: (N, L).
        steps: Of the chosen one, after its start.
        progress: Told after every step.

    Returns:
        The trained network.
    """

    def error(network: MixtureNetwork) -> Tensor:
        return mixture_nll(network(inputs).mixture(), target).mean()

    def train(network: MixtureNetwork, steps: int, what: str) -> float:
        parameters = network.parameters()
        return minimize(
            lambda: error(network), parameters, steps=steps, learning_rate=0.02, progress=progress, what=what
        )[-1]

    tries = [train(network, max(1, steps // 10), f"mixture, start {index}") for index, network in enumerate(networks)]
    best = networks[tries.index(min(tries))]
    train(best, steps, "mixture")
    return best


def minimize(
    loss: Callable[[], Tensor],
    parameters: Iterable[nn.Parameter],
    *,
    steps: int,
    learning_rate: float,
    progress: Progress,
    what: str,
) -> list[float]:
    """Adam with a learning rate that falls to zero along a cosine.

    Args:
        loss: Gives a scalar, of the whole data or of another batch each time.
        parameters: What to move.
        steps: How often.
        learning_rate: At the beginning.
        progress: Told after every step.
        what: Name of the work, for those who watch.

    Returns:
        The loss before each step.
    """
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    history = []
    for step in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        schedule.step()
        history.append(value.item())
        progress(what, step + 1, steps)
    return history
