"""Which hypothesis of a frame goes with which one of the next: a hidden Markov model over components.

A joint of hypothesis i at one row and of j at the next differ by noise and by motion, so each coordinate's difference
is normal with variance

    s² = link_noise (σ_i² + σ_j²) + (link_speed dt)²

and the potential of the pair is the density of the differences, with its logarithm divided by the temperature. It is
the same in both directions of time. The potential of a component at its row is its mixing coefficient to the power
`trust`.

Letters in shapes: T rows in order of time, M hypotheses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.distributions.mixture import log_sum_exp
from pose_mdn.video.evidence import JOINTS, Evidence
from pose_mdn.video.settings import SmoothingSettings

Float64Array = NDArray[np.float64]

_STEPS_AT_ONCE = 4096
"""Bounds the memory for all pairs of hypotheses, joint by joint."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """Components over time, given all rows.

    Attributes:
        probability: (T, M) of each component at each row (forward-backward).
        path: (T,) the most probable sequence of components (Viterbi).
    """

    probability: Float64Array
    path: NDArray[np.int64]


def link(evidence: Evidence, settings: SmoothingSettings) -> Links:
    """Link the rows of one person."""
    log_row = settings.trust * evidence.log_mixing
    steps = max(len(evidence) - 1, 0)
    log_pair = np.empty((steps, *2 * log_row.shape[1:]))
    for start in range(0, steps, _STEPS_AT_ONCE):
        stop = min(start + _STEPS_AT_ONCE, steps)
        earlier, later = evidence.take(slice(start, stop)), evidence.take(slice(start + 1, stop + 1))
        log_pair[start:stop] = pair_potentials(earlier, later, settings)
    return Links(probability=forward_backward(log_row, log_pair), path=viterbi(log_row, log_pair))


def pair_potentials(earlier: Evidence, later: Evidence, settings: SmoothingSettings) -> Float64Array:
    """(T, M, M) logarithms for each of T pairs of rows, from components of the earlier to those of the later."""
    speed = settings.link_speed_m_s * (later.time_s - earlier.time_s)[:, None, None, None, None]
    variance = settings.link_noise * (earlier.variance[:, :, None] + later.variance[:, None]) + np.square(speed)
    difference = np.square(later.position[:, None] - earlier.position[:, :, None])
    across = difference[..., 0] + difference[..., 1]
    log_density = -0.5 * (
        across / variance[..., 0]
        + difference[..., 2] / variance[..., 1]
        + np.log(np.square(variance[..., 0]) * variance[..., 1])
    )
    return np.asarray(log_density[..., JOINTS].sum(axis=-1) / settings.link_temperature)


def forward_backward(log_row: Float64Array, log_pair: Float64Array) -> Float64Array:
    """(T, M) marginal probabilities of a chain with (T, M) and (T - 1, M, M) log-potentials."""
    forward, backward = np.empty_like(log_row), np.zeros_like(log_row)
    forward[0] = log_row[0]
    for row in range(1, len(log_row)):
        forward[row] = log_row[row] + log_sum_exp(forward[row - 1][:, None] + log_pair[row - 1], axis=0)
    for row in range(len(log_row) - 2, -1, -1):
        backward[row] = log_sum_exp(log_pair[row] + log_row[row + 1] + backward[row + 1], axis=1)
    return normalized(forward + backward)


def viterbi(log_row: Float64Array, log_pair: Float64Array) -> NDArray[np.int64]:
    """(T,) most probable sequence of states of the same chain; of equal ones, that with the lower indices last."""
    best = log_row[0]
    origins = []
    for row in range(1, len(log_row)):
        scores = best[:, None] + log_pair[row - 1]
        origins.append(scores.argmax(axis=0))
        best = scores.max(axis=0) + log_row[row]
    path = [int(best.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1], np.int64)


def normalized(log_weight: Float64Array) -> Float64Array:
    """Probabilities (..., M) proportional to exponentials."""
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))
