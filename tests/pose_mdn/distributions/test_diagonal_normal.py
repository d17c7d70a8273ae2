import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pose_mdn.distributions.diagonal_normal import kl_from_standard_normal, log_density

_numbers = arrays(np.float64, (3, 4), elements=st.floats(-3, 3))


@given(_numbers, _numbers, _numbers)
def test_the_density_is_that_of_scipy(x, mean, log_variance):
    expected = stats.norm.logpdf(x, mean, np.exp(0.5 * log_variance)).sum(axis=-1)
    np.testing.assert_allclose(log_density(x, mean, log_variance), expected, atol=1e-9)


@given(_numbers, _numbers)
def test_the_divergence_is_that_of_torch(mean, log_variance):
    q = torch.distributions.Normal(torch.from_numpy(mean), torch.from_numpy(np.exp(0.5 * log_variance)))
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(torch.tensor(0.0), torch.tensor(1.0)))
    np.testing.assert_allclose(kl_from_standard_normal(mean, log_variance), expected.numpy(), atol=1e-9)


def test_nothing_diverges_from_itself_and_everything_else_does():
    assert (kl_from_standard_normal(np.zeros((1, 3)), np.zeros((1, 3))) == 0).all()
    assert (kl_from_standard_normal(np.array([0.1, 0.0]), np.array([0.0, 0.2])) > 0).all()
