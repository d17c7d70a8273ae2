import torch

from pose_mdn.distributions import GaussianMixture
from pose_mdn.losses.mixture_nll import dirichlet_penalty, mixture_nll


def _mixture(seed: int, dimensions: int = 2) -> tuple[GaussianMixture, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    mixture = GaussianMixture(
        log_mixing_coefficients=torch.log_softmax(logits, dim=-1),
        means=torch.randn(4, 3, dimensions, generator=generator, dtype=torch.float64),
        std=0.2 + torch.rand(4, 3, dimensions, generator=generator, dtype=torch.float64),
    )
    return mixture, torch.randn(4, dimensions, generator=generator, dtype=torch.float64)


def test_temperature_one_is_the_negative_log_likelihood():
    mixture, target = _mixture(0)
    torch.testing.assert_close(mixture_nll(mixture, target), -mixture.log_prob(target))


def test_gradients_are_bishops_closed_formulas():
    """Bishop 1994, for the activations of alpha, mu and log sigma."""
    _, target = _mixture(1)
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    means = torch.randn(4, 3, 2, dtype=torch.float64, requires_grad=True)
    log_std = torch.randn(4, 3, 1, dtype=torch.float64, requires_grad=True)
    mixture = GaussianMixture(log_mixing_coefficients=torch.log_softmax(logits, dim=-1), means=means, std=log_std.exp())
    mixture_nll(mixture, target).sum().backward()
    gamma = mixture.responsibilities(target).detach()
    difference, variance = (means - target[:, None]).detach(), (2 * log_std).exp().detach()
    torch.testing.assert_close(logits.grad, torch.softmax(logits, -1).detach() - gamma, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(means.grad, gamma[..., None] * difference / variance, atol=1e-9, rtol=1e-9)
    expected = gamma[..., None] * (2 - difference.square().sum(-1, keepdim=True) / variance)
    torch.testing.assert_close(log_std.grad, expected, atol=1e-9, rtol=1e-9)


def test_tempering_shares_responsibility_and_vanishes_at_one():
    mixture, target = _mixture(2)
    target = target + 10.0  # far away, so that plain responsibilities are nearly one-hot
    logits = mixture.log_mixing_coefficients.clone().requires_grad_()

    def spread(temperature: float) -> float:
        varied = GaussianMixture(log_mixing_coefficients=logits, means=mixture.means, std=mixture.std)
        share = (
            torch.autograd.grad(mixture_nll(varied, target, temperature=temperature).sum(), logits)[0] / -temperature
        )
        torch.testing.assert_close(share.sum(-1), torch.ones(4, dtype=torch.float64))
        return float(-(share * share.clamp(min=1e-12).log()).sum(-1).mean())

    assert spread(100.0) > spread(9.0) > spread(1.0)


def test_dirichlet_penalty_is_the_log_density_up_to_a_constant():
    alpha = torch.distributions.Dirichlet(torch.ones(3, dtype=torch.float64)).sample((5,))
    concentration = (2.0, 0.7, 1.0)
    oracle = torch.distributions.Dirichlet(torch.tensor(concentration, dtype=torch.float64)).log_prob(alpha)
    got = -dirichlet_penalty(alpha.log(), concentration)
    torch.testing.assert_close(got - got[0], oracle - oracle[0])
