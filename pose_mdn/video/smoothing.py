"""Joint linking and smoothing: a Kalman filter for every component, forwards and backwards.

The unknown is a component z_t of each row's mixture, a Markov chain with the potentials of `linking`, and the true
positions x_t, which follow the motion model. Hypothesis m of row t states x_t with a variance of which only the part
`independent` averages out over time. Given z_t = m, what came before and what comes after are independent; each is a
Gaussian (that of the neighbouring row, averaged over its components by their probability given m, and moved), and
their product with the row's own statement is the smoothed hypothesis. This is the two-filter smoother of a switching
linear model whose mixtures are collapsed to one Gaussian per component, the collapse of Blom & Bar-Shalom's
interacting multiple models (1988); with one component it is the Rauch-Tung-Striebel smoother. The backward filter is
the forward filter on time turned round, which makes the result the same, whichever way a film is played.

Letters in shapes: M hypotheses, J = 17 slots.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.video.evidence import JOINTS, Evidence
from pose_mdn.video.linking import normalized, pair_potentials
from pose_mdn.video.motion_model import moved_covariance, moved_mean
from pose_mdn.video.settings import SmoothingSettings

Float64Array = NDArray[np.float64]

_UNKNOWN = 1e7
"""Variance, m² and m²/s², of what nothing is known about."""
_AXES = [0, 0, 1]
"""Variances of x, y and z: across, across, along."""
_FIRST, _SECOND = [0, 0, 1], [0, 1, 1]
"""Factors of a covariance's entries: position squared, position times velocity, velocity squared."""


@dataclass(frozen=True, kw_only=True)
class Belief:
    """What the rows on one side of a moment say about it, for each component at that moment.

    Attributes:
        log_weight: (M,) up to a constant.
        mean: (M, 2, J, 3) positions and velocities.
        covariance: (M, 3, J, 2) of position, of position and velocity, and of velocity; across and along.
    """

    log_weight: Float64Array
    mean: Float64Array
    covariance: Float64Array


@dataclass(frozen=True, kw_only=True)
class Smoothed:
    """T rows: (T, M) probabilities, (T, M, J, 3) positions, (T, M, J, 2) variances."""

    probability: Float64Array
    position: Float64Array
    variance: Float64Array


def smooth(
    evidence: Evidence, settings: SmoothingSettings, on_progress: Callable[[int], None] | None = None
) -> Smoothed:
    """Smooth one segment of one person; `on_progress` is called with numbers of rows that are done."""
    turned = evidence.take(slice(None, None, -1))
    before = [updated for _, updated in filtered(evidence, settings)]
    rows = []
    for predicted, _ in filtered(turned, settings):
        rows.append(combine(before.pop(), predicted))
        if on_progress is not None:
            on_progress(1)
    rows.reverse()
    probability, position, variance = (np.stack(column) for column in zip(*rows, strict=True))
    return Smoothed(
        probability=probability,
        position=position,
        variance=variance + np.asarray(settings.lasting) * evidence.variance,
    )


def filtered(evidence: Evidence, settings: SmoothingSettings) -> Iterator[tuple[Belief, Belief]]:
    """For each row, the belief before it is looked at, and after. Times may also descend."""
    log_pair = pair_potentials(evidence.take(slice(None, -1)), evidence.take(slice(1, None)), settings)
    step_s = np.abs(np.diff(evidence.time_s))
    intensity = step_intensities(evidence.take(slice(None, -1)), evidence.take(slice(1, None)), settings)
    belief = nothing(evidence)
    for row in range(len(evidence)):
        if row:
            belief = predict(belief, log_pair[row - 1], float(step_s[row - 1]), intensity[row - 1])
        predicted, belief = belief, update(belief, evidence, row, settings)
        yield predicted, belief


def step_intensities(earlier: Evidence, later: Evidence, settings: SmoothingSettings) -> Float64Array:
    """(T, J, 2) intensities of the motion model for T steps from row to row.

    Who moves fast also turns fast: intensities grow with the mean square speed of the joints, q (1 + v² / v₀²), where
    the speed is that of the mixtures' means.
    """
    moved = later.mean_position() - earlier.mean_position()
    step_s = np.abs(later.time_s - earlier.time_s)
    square_speed = np.square(moved[:, JOINTS]).sum(axis=-1).mean(axis=-1) / np.square(step_s)
    factor = settings.liveliness * (1.0 + square_speed / settings.agility_m_s**2)
    return np.asarray(0.5 * factor[:, None, None] * (earlier.intensity + later.intensity))


def nothing(evidence: Evidence) -> Belief:
    """The belief of who has seen nothing."""
    _, hypotheses, slots, axes = evidence.position.shape
    covariance = np.zeros((hypotheses, 3, slots, 2))
    covariance[:, [0, 2]] = _UNKNOWN
    return Belief(log_weight=np.zeros(hypotheses), mean=np.zeros((hypotheses, 2, slots, axes)), covariance=covariance)


def predict(belief: Belief, log_pair: Float64Array, time_s: float, intensity: Float64Array) -> Belief:
    """Move a belief to the next row's components.

    Args:
        belief: After a row.
        log_pair: (M, M) potentials from this row's components to the next one's.
        time_s: From row to row.
        intensity: (J, 2) of the motion model.
    """
    log_joint = belief.log_weight[:, None] + log_pair
    mean, covariance = _collapse(normalized(log_joint.T), belief)
    return Belief(
        log_weight=log_sum_exp(log_joint, axis=0),
        mean=moved_mean(mean, time_s),
        covariance=moved_covariance(covariance, time_s, intensity),
    )


def update(belief: Belief, evidence: Evidence, row: int, settings: SmoothingSettings) -> Belief:
    """Take in what a row says."""
    noise = np.asarray(settings.independent) * evidence.variance[row]
    # Columns of the covariance that belong to the position: what an innovation moves, and by how much.
    columns = belief.covariance[:, :2]
    gain = columns / (columns[:, :1] + noise[:, None])
    innovation = evidence.position[row] - belief.mean[:, 0]
    covariance = belief.covariance.copy()
    covariance[:, :2] -= gain[:, :1] * columns
    covariance[:, 2] -= gain[:, 1] * columns[:, 1]
    log_weight = belief.log_weight + settings.trust * evidence.log_mixing[row]
    return Belief(
        log_weight=log_weight - log_weight.max(),
        mean=belief.mean + gain[..., _AXES] * innovation[:, None],
        covariance=covariance,
    )


def combine(before: Belief, after: Belief) -> tuple[Float64Array, Float64Array, Float64Array]:
    """A row's (M,) probabilities, (M, J, 3) positions and (M, J, 2) variances from both sides.

    With covariances P and Q, the position's variance is p - pᵀ (P + Q)⁻¹ p, where p is the first column of P.

    Args:
        before: From the first row to this one.
        after: From the last row to the one after this one, moved to this one; its velocities are those of time turned.
    """
    p, q = before.covariance, after.covariance
    xx, xv, vv = p[:, 0] + q[:, 0], p[:, 1] - q[:, 1], p[:, 2] + q[:, 2]
    determinant = xx * vv - xv * xv
    of_position = (p[:, 0] * vv - p[:, 1] * xv) / determinant
    of_velocity = (p[:, 1] * xx - p[:, 0] * xv) / determinant
    position = (
        before.mean[:, 0]
        + of_position[..., _AXES] * (after.mean[:, 0] - before.mean[:, 0])
        - of_velocity[..., _AXES] * (after.mean[:, 1] + before.mean[:, 1])
    )
    variance = p[:, 0] - of_position * p[:, 0] - of_velocity * p[:, 1]
    return normalized(before.log_weight + after.log_weight), position, np.maximum(variance, 0.0)


def _collapse(origin: Float64Array, belief: Belief) -> tuple[Float64Array, Float64Array]:
    """Means (M, 2, J, 3) and covariances (M, 3, J, 2) of mixtures of a belief's components with (M, M) weights."""
    # About the first one: squares of large numbers would cancel.
    offset = belief.mean - belief.mean[0]
    shift = _weighted(origin, offset)
    covariance = _weighted(origin, belief.covariance + _spread(offset)) - _spread(shift)
    return belief.mean[0] + shift, covariance


def _weighted(weight: Float64Array, values: Float64Array) -> Float64Array:
    """Sums over the first axis of (M, ...) values with (M, M) weights."""
    return np.asarray((weight @ values.reshape(len(values), -1)).reshape(values.shape))


def _spread(offset: Float64Array) -> Float64Array:
    """(M, 3, J, 2) squares and products of positions and velocities, those across averaged over x and y."""
    product = offset[:, _FIRST] * offset[:, _SECOND]
    return np.stack([0.5 * (product[..., 0] + product[..., 1]), product[..., 2]], axis=-1)
