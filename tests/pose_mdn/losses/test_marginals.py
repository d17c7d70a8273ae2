import numpy as np
import torch

from pose_mdn.distributions import GaussianMixture
from pose_mdn.losses.marginals import pit_distance
from pose_mdn.metrics.proper_scores import mixture_crps


def _mixture(batch: int, dimensions: int) -> GaussianMixture:
    generator = torch.Generator().manual_seed(batch)
    logits = torch.randn(batch, 3, generator=generator, dtype=torch.float64)
    return GaussianMixture(
        log_mixing_coefficients=torch.log_softmax(logits, dim=-1),
        means=torch.randn(batch, 3, dimensions, generator=generator, dtype=torch.float64),
        std=0.2 + torch.rand(batch, 3, dimensions, generator=generator, dtype=torch.float64),
    )


def test_crps_equals_its_definition_by_samples():
    mixture = _mixture(4, 1)
    target = torch.tensor([[0.0], [1.0], [-2.0], [0.3]], dtype=torch.float64)
    samples = mixture.sample(200_000, np.random.default_rng(0))
    other = mixture.sample(200_000, np.random.default_rng(1))
    expected = (samples - target).abs().mean(0) - 0.5 * (samples - other).abs().mean(0)
    torch.testing.assert_close(mixture_crps(mixture, target), expected, atol=5e-3, rtol=1e-2)


def test_the_transform_is_uniform_for_truth_from_the_mixture_and_for_no_other_width():
    mixture = _mixture(8000, 2)
    target = mixture.sample(1, np.random.default_rng(0))[0]

    def distance(factor: float) -> float:
        scaled = GaussianMixture(
            log_mixing_coefficients=mixture.log_mixing_coefficients, means=mixture.means, std=factor * mixture.std
        )
        return float(pit_distance(scaled, target).max())

    assert distance(1.0) < 1e-4
    assert distance(0.5) > 10 * distance(1.0)
    assert distance(2.0) > 10 * distance(1.0)
