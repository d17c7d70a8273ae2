r"""The Dirichlet prior on mixing coefficients, and how to undo what it does to them as probabilities.

Li and Lee (CVPR 2019) add :math:`-\sum_i (\lambda_i - 1) \log \alpha_i` to the loss. With softmax coefficients the
stationary point is :math:`\alpha_i = (r_i + L_i) / (1 + \sum_k L_k)`, where :math:`L_i = \lambda_i - 1` and
:math:`r_i` is the expected responsibility: with five components and a concentration of 2 every coefficient is squeezed
into [1/6, 1/3] whatever the data say. Solving for :math:`r_i` gives the exact correction.
"""

from collections.abc import Sequence

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.errors import ConfigError


def resolve_concentration(concentration: float | Sequence[float], num_hypotheses: int) -> tuple[float, ...]:
    """Check a concentration setting and spread it over the components.

    Args:
        concentration: One number for all components, or one per component; each > 0. 1 means no prior, above 1 draws
            the coefficients together, below 1 pushes them towards 0 and 1.
        num_hypotheses: M.

    Returns:
        M concentrations.

    Raises:
        ConfigError: A value is not positive, or the vector has the wrong length.
    """
    values = (concentration,) * num_hypotheses if isinstance(concentration, (int, float)) else tuple(concentration)
    if len(values) != num_hypotheses:
        raise ConfigError(
            f"dirichlet_concentration: expected one number, or {num_hypotheses} (one per hypothesis), got "
            f"{len(values)}; there is no default for a missing entry: write 1.0 where a component shall have no prior"
        )
    if not all(0.0 < value < float("inf") for value in values):
        raise ConfigError(
            f"dirichlet_concentration: expected finite values > 0, got {list(values)}; 1 means no prior, above 1 keeps "
            "all hypotheses alive, between 0 and 1 favours few (its density has no upper bound, so use it with care)"
        )
    return tuple(float(value) for value in values)


def explain_concentration(concentration: Sequence[float]) -> str:
    """What a setting does, for people: a sentence per kind of value that is in it."""
    kinds = {
        "1 puts no prior on a coefficient": any(value == 1.0 for value in concentration),
        "above 1 keeps hypotheses alive by drawing their coefficients together": any(v > 1.0 for v in concentration),
        "below 1 favours few hypotheses and may let the others die": any(value < 1.0 for value in concentration),
    }
    return "; ".join(meaning for meaning, applies in kinds.items() if applies)


def debias_mixing_coefficients(mixing_coefficients: Array, concentration: Sequence[float]) -> Array:
    """Remove a Dirichlet prior's pull from mixing coefficients.

    Args:
        mixing_coefficients: (..., M) softmax outputs of a network trained with the prior.
        concentration: M concentrations used in training.

    Returns:
        (..., M) probabilities (1 + sum L) a - L, cut at 0 and normalised; unchanged when every concentration is 1.

    Raises:
        ConfigError: The prior outweighs the data (sum L <= -1), so there is no stationary point to correct.
    """
    xp = array_namespace(mixing_coefficients)
    excess = [value - 1.0 for value in concentration]
    if sum(excess) <= -1.0:
        raise ConfigError(
            f"dirichlet_concentration: expected values whose excess over 1 sums to more than -1, got "
            f"{list(concentration)}; weaker ones outweigh the data and cannot be undone: raise them towards 1"
        )
    pull = xp.asarray(excess, dtype=mixing_coefficients.dtype)
    probabilities = (1.0 + sum(excess)) * mixing_coefficients - pull
    probabilities = xp.where(probabilities > 0, probabilities, xp.zeros_like(probabilities))
    return probabilities / (xp.sum(probabilities, axis=-1, keepdims=True) + 1e-12)
