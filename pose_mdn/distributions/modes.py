"""All modes of Gaussian mixtures: uphill from every place where one can hide, and what arrives twice counted once.

A mixture may have fewer modes than components, and more: two Gaussians in D dimensions have up to D + 1 (Ray and Ren,
"On the upper bound of the number of modes of a multivariate normal mixture", 2012). Starts are those of
`ridgeline.starting_points`, the ascent is that of `mean_shift.climb`.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import NDArray

from pose_mdn.array_types import Array
from pose_mdn.distributions.mean_shift import climb, metric, take_rows
from pose_mdn.distributions.ridgeline import starting_points
from pose_mdn.errors import InputError

if TYPE_CHECKING:
    from pose_mdn.distributions.mixture import GaussianMixture

Floats = NDArray[np.float64]

_SAME = 1e-2
"""Modes nearer than this, in standard deviations, are one."""
_NUMBERS_AT_ONCE = 4_000_000
"""Size of the largest array in the search, which decides how many mixtures are searched together."""
_POINTS_EACH = 300
"""Points of one mixture that are looked at together: those of a curve, or the starts."""


@dataclass(frozen=True, kw_only=True)
class Modes:
    """The local maxima of mixtures of batch shape (...), highest first; K is the largest number that any has.

    Attributes:
        points: (..., K, D) where they are; NaN after a mixture's last.
        log_prob: (..., K) the mixture's log-density there, nats; NaN after the last.
        count: (...) how many each mixture has; 0 for mixtures with parameters that are not finite.
    """

    points: Floats
    log_prob: Floats
    count: NDArray[np.int64]


def find_modes(mixture: "GaussianMixture", *, more_starts: Array | None = None) -> Modes:
    """Find the modes of each mixture.

    With two components nothing is missed that is wider than the curve's resolution. With more no proof is known;
    starts of one's own, such as samples, can be added.

    Args:
        mixture: Any batch of mixtures, of any library; computed in float64.
        more_starts: (..., S, D) further points to climb from, or absent.

    Returns:
        The modes, as NumPy arrays.

    Raises:
        InputError: `more_starts` has another shape.
    """
    shape = tuple(mixture.means.shape)
    batch, (components, dimensions) = shape[:-2], shape[-2:]
    rows, extra = _as_rows(mixture, shape), _starts(more_starts, batch, dimensions)
    at_once = max(1, _NUMBERS_AT_ONCE // (components * dimensions * _POINTS_EACH))
    slices = [slice(start, start + at_once) for start in range(0, len(rows.means), at_once)]
    parts = [_search(take_rows(rows, part), extra[part]) for part in slices]
    widest = max([part.log_prob.shape[1] for part in parts], default=0)
    padded = [_pad(part, widest) for part in parts]
    points = np.concatenate([np.empty((0, widest, dimensions)), *(part.points for part in padded)])
    log_prob = np.concatenate([np.empty((0, widest)), *(part.log_prob for part in padded)])
    counts = np.concatenate([np.empty(0, np.int64), *(part.count for part in padded)])
    return Modes(
        points=points.reshape(*batch, widest, dimensions),
        log_prob=log_prob.reshape(*batch, widest),
        count=counts.reshape(batch),
    )


def _starts(more_starts: Array | None, batch: tuple[int, ...], dimensions: int) -> Floats:
    """(B, S, D) the caller's starts for each of the batch's mixtures in one row; S is 0 if there are none."""
    count = math.prod(batch)
    if more_starts is None:
        return np.empty((count, 0, dimensions))
    given = _to_numpy(more_starts)
    if given.ndim != len(batch) + 2 or given.shape[:-2] != batch or given.shape[-1] != dimensions:
        raise InputError(
            f"more_starts: expected shape {(*batch, 'S', dimensions)}, got {given.shape}; give S for each mixture",
            field="more_starts",
        )
    return given.reshape(count, -1, dimensions)


def _search(mixture: "GaussianMixture", extra: Floats) -> Modes:
    """The modes of a few mixtures; those that are not finite have none."""
    finite = np.isfinite(mixture.means).all((-1, -2)) & np.isfinite(mixture.std).all((-1, -2))
    finite &= (mixture.std > 0).all((-1, -2)) & np.isfinite(mixture.log_mixing_coefficients.max(-1))
    sound = np.flatnonzero(finite)
    rows, starts = starting_points(take_rows(mixture, sound))
    rows = np.concatenate([sound[rows], np.repeat(sound, extra.shape[1])])
    starts = np.concatenate([starts, extra[sound].reshape(-1, starts.shape[-1])])
    usable = np.isfinite(starts).all(-1)
    rows, starts = rows[usable], starts[usable]
    ends, is_mode = climb(take_rows(mixture, rows), starts)
    return _distinct(mixture, rows[is_mode], ends[is_mode])


def _distinct(mixture: "GaussianMixture", rows: NDArray[np.int64], points: Floats) -> Modes:
    """The different ones among each mixture's candidates: again and again the highest left, and off with its equals."""
    total, dimensions = len(mixture.means), mixture.means.shape[-1]
    of_each = take_rows(mixture, rows)
    log_prob, scale = of_each.log_prob(points), metric(of_each, points)
    columns: list[tuple[Floats, Floats]] = []
    count = np.zeros(total, np.int64)
    left = np.arange(len(rows))
    while len(left):
        ordered = left[np.lexsort((-log_prob[left], rows[left]))]
        owners, first = np.unique(rows[ordered], return_index=True)
        winner = np.zeros(total, np.int64)
        winner[owners] = ordered[first]
        column = np.full((total, dimensions), np.nan), np.full(total, np.nan)
        column[0][owners], column[1][owners] = points[winner[owners]], log_prob[winner[owners]]
        columns.append(column)
        count[owners] += 1
        offset = points[left] - points[winner[rows[left]]]
        left = left[np.sum(scale[left] * offset**2, axis=-1) > _SAME**2]
    if not columns:
        return Modes(points=np.empty((total, 0, dimensions)), log_prob=np.empty((total, 0)), count=count)
    found, heights = zip(*columns, strict=True)
    return Modes(points=np.stack(found, axis=1), log_prob=np.stack(heights, axis=1), count=count)


def _pad(modes: Modes, width: int) -> Modes:
    missing = width - modes.log_prob.shape[1]
    return Modes(
        points=np.pad(modes.points, ((0, 0), (0, missing), (0, 0)), constant_values=np.nan),
        log_prob=np.pad(modes.log_prob, ((0, 0), (0, missing)), constant_values=np.nan),
        count=modes.count,
    )


def _as_rows(mixture: "GaussianMixture", shape: tuple[int, ...]) -> "GaussianMixture":
    """The same mixtures in one row, in NumPy and float64."""
    return type(mixture)(
        log_mixing_coefficients=_to_numpy(mixture.log_mixing_coefficients).reshape(-1, shape[-2]),
        means=_to_numpy(mixture.means).reshape(-1, *shape[-2:]),
        std=np.broadcast_to(_to_numpy(mixture.std), shape).reshape(-1, *shape[-2:]),
    )


def _to_numpy(array: Array) -> Floats:
    return np.asarray(array.detach().cpu() if is_torch_array(array) else array, dtype=np.float64)
