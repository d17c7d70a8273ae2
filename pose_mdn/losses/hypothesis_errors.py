"""Errors of single hypotheses: what the likelihood does not ask of them."""

from torch import Tensor


def top_1_error(log_mixing_coefficients: Tensor, errors: Tensor) -> Tensor:
    """Error of the most probable hypothesis.

    The likelihood alone tiles what is uncertain with components, none of which need be near the middle; this asks it of
    the one that is shown first.

    Args:
        log_mixing_coefficients: (B, M).
        errors: (B, M), as of `mean_joint_errors`.

    Returns:
        (B,) errors, in the unit of the given ones.
    """
    return errors.gather(1, log_mixing_coefficients.argmax(dim=-1, keepdim=True))[:, 0]


def best_of_m_error(errors: Tensor) -> Tensor:
    """Error of the best hypothesis, which alone is moved by it ("winner takes all").

    Components with wide standard deviations share a pose's likelihood and crowd around its middle; this sets them apart
    where the truth may be. Guzman-Rivera et al., "Multiple choice learning", NeurIPS 2012.

    Args:
        errors: (B, M), as of `mean_joint_errors`.

    Returns:
        (B,) errors, in the unit of the given ones.
    """
    return errors.amin(dim=-1)


def mean_joint_errors(means: Tensor, target: Tensor) -> Tensor:
    """(B, M) mean distance of the joints of (B, M, J, 3) hypotheses to (B, J, 3) targets."""
    return (means - target[:, None]).square().sum(-1).clamp(min=1e-12).sqrt().mean(-1)
