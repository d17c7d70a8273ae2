"""What a set of weighted hypotheses is worth."""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array


def best_of_m(errors: Array) -> Array:
    """(...) smallest of (..., M) errors, chosen for each pose with the truth at hand."""
    return array_namespace(errors).min(errors, axis=-1)


def best_of_most_probable(errors: Array, mixing_coefficients: Array) -> Array:
    """(..., M) smallest of the errors of the 1, 2, ..., M most probable of (..., M) hypotheses."""
    xp = array_namespace(errors)
    order = xp.argsort(mixing_coefficients, axis=-1, descending=True)
    sorted_errors = xp.take_along_axis(errors, order, axis=-1)
    return xp.stack([xp.min(sorted_errors[..., : m + 1], axis=-1) for m in range(errors.shape[-1])], axis=-1)


def top_1(errors: Array, mixing_coefficients: Array) -> Array:
    """(...) error of the most probable of (..., M) hypotheses."""
    xp = array_namespace(errors)
    top = xp.argmax(mixing_coefficients, axis=-1)[..., None] == xp.arange(errors.shape[-1])
    return xp.sum(xp.where(top, errors, xp.zeros_like(errors)), axis=-1)


def effective_hypotheses(mixing_coefficients: Array) -> Array:
    """(...) exponential of the entropy of (..., M) coefficients: 1 if one has all the mass, M if all are equal."""
    xp = array_namespace(mixing_coefficients)
    return xp.exp(-xp.sum(mixing_coefficients * xp.log(xp.clip(mixing_coefficients, 1e-12, None)), axis=-1))


def win_rates(errors: Array) -> Array:
    """(M,) share of poses for which each component has the smallest of (N, M) errors."""
    xp = array_namespace(errors)
    winner = xp.argmin(errors, axis=-1)[:, None] == xp.arange(errors.shape[-1])
    return xp.mean(xp.astype(winner, errors.dtype), axis=0)
