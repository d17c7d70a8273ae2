r"""Which views show one person, and which have left and right exchanged.

Any two views propose where the joints are: each keypoint is a ray, each lifted pose says roughly how far along it, and
the product of the two views' Gaussians is a point. So does any single view. What is proposed is projected into every
view, as it is and with sides exchanged, and a view's agreement is the mean over its keypoints of

    exp(-½ d² / (TOLERANCE · noise)²),   d the distance from keypoint to projection.

The proposal with the most agreement wins; views that agree with it by less than half are left out. A view of somebody
else, of another frame or through another camera cannot win against two that agree, as in RANSAC, but with all proposals
tried. The person's distance counts too: seen from cameras side by side, rays of different people may meet.

One keypoint far off spoils no more than itself: each joint is then settled on its own, by the pair of used views
with which most others agree about it, and a view that agrees with what came of this is taken in again.

Letters in shapes: N rows, V views, J = 17 joints, P proposals.
"""

from dataclasses import dataclass, fields, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pose_mdn.fusion.sightings import Sightings
from pose_mdn.fusion.symmetric import DIAGONAL, Float64Array, inverse, outer, times
from pose_mdn.geometry.pinhole import MIN_DEPTH_M
from pose_mdn.skeletons import HUMAN36M17

_FLIP = list(HUMAN36M17.flip_indices)
_TOLERANCE = 3.0
"""In standard deviations of the keypoints: two noisy rays meet in a noisy point."""
_ENOUGH = 0.5
"""Agreement from which a view shows the same person."""
_PRICE_OF_EXCHANGE = 0.1
"""Sides that cover each other fit either way."""
_DISTANCE_SPREAD = 0.12
"""Standard deviation of the logarithm of a lifted distance, apart from what all views of a person have in common."""
_ALONG = 0.2
"""The same with that, children included: how far along its ray a proposal may be."""
_PRICE_OF_DOUBT = 0.1
"""Of a view that certainly shows no person: decides between two that disagree."""
_SETTLED_FOR_TWO = 0.9
"""Two views agree by chance more easily than three, so less agreement than this is not taken without trying sides."""


@dataclass(frozen=True, kw_only=True)
class Consensus:
    """What views have in common.

    Attributes:
        used: (N, V) views that show the person.
        exchanged: (N, V) which of them have left and right exchanged.
        agreement: (N, V) mean agreement of keypoints with `joints`, 0 to 1.
        joints: (N, J, 3) where joints are about, in the world.
    """

    used: NDArray[np.bool_]
    exchanged: NDArray[np.bool_]
    agreement: Float64Array
    joints: Float64Array

    def rows(self, rows: NDArray[np.bool_]) -> "Consensus":
        """Some rows."""
        return Consensus(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, kw_only=True)
class _Rays:
    """Each view's joints as Gaussians in the world: (6, N, V, J) precisions, (3, N, V, J) these times means."""

    precision: Float64Array
    vector: Float64Array

    def rows(self, rows: NDArray[np.int64]) -> "_Rays":
        """Some rows."""
        return _Rays(precision=self.precision[:, rows], vector=self.vector[:, rows])

    def with_flipped(self) -> "_Rays":
        """With views V, V + 1, ..., the same ones with sides exchanged."""
        return _Rays(
            precision=np.concatenate([self.precision, self.precision[..., _FLIP]], axis=2),
            vector=np.concatenate([self.vector, self.vector[..., _FLIP]], axis=2),
        )


def find_consensus(seen: Sightings, noise: float, *, reject: bool = True) -> Consensus:
    """Compare all views of each row.

    Args:
        seen: N rows of V views.
        noise: Standard deviation of keypoints per axis, as part of the person's size.
        reject: Whether to leave views out and to put sides right; otherwise all that are present count as they are.
    """
    views = seen.present.shape[1]
    rays = _rays(seen, noise)
    first, second = np.array([(v, v) for v in range(views)] + list(combinations(range(views), 2))).T
    found = _judge(seen, _propose(rays, first, second), first, second, noise)
    if not reject:
        return replace(found, used=seen.present, exchanged=np.zeros_like(seen.present))
    alone = seen.present.sum(axis=1) == 2
    poor = found.agreement < np.where(alone, _SETTLED_FOR_TWO, 0.0)[:, None]
    unsettled = np.flatnonzero((seen.present & (~found.used | poor)).any(axis=1))
    if unsettled.size and views > 1:
        again = _with_sides_tried(seen.rows(unsettled), rays.rows(unsettled), noise)
        for field in fields(found):
            getattr(found, field.name)[unsettled] = getattr(again, field.name)
    found = _named_sides(seen, found)
    if views <= 2:
        return found
    return _readmitted(seen, replace(found, joints=_joint_by_joint(seen, found, noise)), noise)


def _with_sides_tried(seen: Sightings, rays: _Rays, noise: float) -> Consensus:
    """The same with proposals in which one of two views has left and right exchanged."""
    views = seen.present.shape[1]
    first, second = np.array([(v, v) for v in range(views)] + list(combinations(range(views), 2))).T
    one, other = np.array([(u, v) for u in range(views) for v in range(views) if u != v]).T
    proposals = np.concatenate(
        [_propose(rays, first, second), _propose(rays.with_flipped(), one, other + views)], axis=1
    )
    return _judge(seen, proposals, np.concatenate([first, one]), np.concatenate([second, other]), noise)


def _rays(seen: Sightings, noise: float) -> _Rays:
    top = np.argmax(seen.log_mixing, axis=-1)[..., None]
    pelvis = np.take_along_axis(seen.pelvis, top[..., None], axis=2)
    lifted = np.take_along_axis(seen.means, top[..., None, None], axis=2)[:, :, 0] + pelvis
    across = np.take_along_axis(seen.across, top[..., None], axis=2)[:, :, 0]
    away = lifted - seen.center[:, None]
    distance = np.linalg.norm(away, axis=-1)
    rays = np.concatenate([seen.slopes, np.ones_like(seen.slopes[..., :1])], axis=-1) @ seen.rotation
    ray = np.where(
        seen.seen[..., None], rays / np.linalg.norm(rays, axis=-1, keepdims=True), away / distance[..., None]
    )
    point = np.moveaxis(seen.center[:, None] + ray * distance[..., None], -1, 0)
    spread = np.where(seen.seen, noise * seen.noise * distance, 2.0 * across + 0.05)
    wide, long = seen.present[..., None] / spread**2, seen.present[..., None] / (_ALONG * distance) ** 2
    precision = (long - wide) * outer(np.moveaxis(ray, -1, 0))
    precision[list(DIAGONAL)] += wide
    return _Rays(precision=precision, vector=times(precision, point))


def _propose(rays: _Rays, first: NDArray[np.int64], second: NDArray[np.int64]) -> Float64Array:
    """(N, P, J, 3) products of the Gaussians of two views; of absent ones the world's origin."""
    precision = rays.precision[:, :, first] + rays.precision[:, :, second]
    vector = rays.vector[:, :, first] + rays.vector[:, :, second]
    absent = precision[0] + precision[3] + precision[5] <= 0
    precision[list(DIAGONAL)] += absent
    return np.moveaxis(times(inverse(precision)[0], vector), 0, -1)


def _judge(
    seen: Sightings, proposals: Float64Array, first: NDArray[np.int64], second: NDArray[np.int64], noise: float
) -> Consensus:
    """The proposal with the most agreement, over views that agree enough."""
    straight, exchanged = (_agreement(seen, proposals, noise, flip) for flip in (False, True))
    exchanged = exchanged - _PRICE_OF_EXCHANGE
    vote = np.maximum(straight, exchanged) - _price_of_distance(seen, proposals, first, second)
    used = (vote > _ENOUGH) & seen.present[:, None]
    score = (used * (vote - _ENOUGH - _PRICE_OF_DOUBT * seen.doubt[:, None])).sum(axis=-1)
    score += 1e-6 * used.sum(axis=-1)
    rows = np.arange(len(seen))
    best = score.argmax(axis=1)
    # Who agrees with nobody, not even with what it proposes itself, is all the same all that there is.
    alone = ~used[rows, best].any(axis=1)
    best[alone] = np.where(seen.present, -seen.doubt, -np.inf)[alone].argmax(axis=1)
    used[rows[alone], best[alone], best[alone]] = seen.present[rows[alone], best[alone]]
    return Consensus(
        used=used[rows, best],
        exchanged=(exchanged > straight)[rows, best] & used[rows, best] & ~alone[:, None],
        agreement=np.where(seen.present, np.maximum(straight, exchanged)[rows, best], 0.0),
        joints=proposals[rows, best],
    )


def _agreement(seen: Sightings, proposals: Float64Array, noise: float, flip: bool) -> Float64Array:
    """(N, P, V) mean agreement of keypoints; 0 where a view has none."""
    if flip:
        seen = seen.with_sides(np.ones_like(seen.present))
    total = np.empty((*proposals.shape[:2], seen.present.shape[1]))
    for view in range(total.shape[-1]):
        count = np.maximum(seen.seen[:, view].sum(axis=-1), 1)
        total[..., view] = _closeness(seen, proposals, view, noise).sum(axis=-1) / count[:, None]
    return total


def _closeness(seen: Sightings, proposals: Float64Array, view: int, noise: float) -> Float64Array:
    """(N, P, J) agreement of one view's keypoints; 0 where it has none, or where they would be behind it."""
    x, y, depth = np.moveaxis((proposals - seen.center[view]) @ seen.rotation[view].T, -1, 0)
    ahead = np.maximum(depth, MIN_DEPTH_M)
    observed = seen.slopes[:, None, view]
    square = np.square(x / ahead - observed[..., 0]) + np.square(y / ahead - observed[..., 1])
    close = np.exp(-0.5 * square / np.square(_TOLERANCE * noise * seen.noise[:, None, view]))
    return np.asarray(close * (depth > 0) * seen.seen[:, None, view])


def _joint_by_joint(seen: Sightings, found: Consensus, noise: float) -> Float64Array:
    """(N, J, 3) where most used views see each joint, whichever views proposed the others.

    The pair with the most agreement about a joint says which views to believe, and these are averaged.
    """
    seen = seen.with_sides(found.exchanged)
    views = seen.present.shape[1]
    rays = _rays(seen, noise)
    first, second = np.array(list(combinations(range(views), 2))).T
    proposals = _propose(rays, first, second)
    close = np.stack(
        [_closeness(seen, proposals, view, noise) * found.used[:, view, None, None] for view in range(views)], axis=2
    )
    score = close.sum(axis=2) - 10.0 * ~(found.used[:, first] & found.used[:, second])[..., None]
    best = score.argmax(axis=1)[:, None]
    weight = np.take_along_axis(close, best[:, :, None], axis=1)[:, 0]
    # What nobody sees is where the lifters have it.
    weight = np.where(seen.seen, weight, 1e-3) * found.used[..., None]
    precision, vector = (rays.precision * weight).sum(axis=2), (rays.vector * weight).sum(axis=2)
    several = (found.used.sum(axis=1) > 1) & (precision[list(DIAGONAL)].min(axis=0) > 0).all(axis=-1)
    precision[list(DIAGONAL)] += ~several[:, None]
    joints = np.moveaxis(times(inverse(precision)[0], vector), 0, -1)
    return np.where(several[:, None, None], joints, found.joints)


def _readmitted(seen: Sightings, found: Consensus, noise: float) -> Consensus:
    """With views that agree with what several others settled on, if not with the two that proposed it."""
    straight, exchanged = (_agreement(seen, found.joints[:, None], noise, flip)[:, 0] for flip in (False, True))
    settled = (found.used.sum(axis=1) > 1)[:, None]
    agreement = np.maximum(straight, exchanged)
    back = seen.present & ~found.used & settled & (agreement > _ENOUGH)
    return replace(
        found,
        used=found.used | back,
        exchanged=np.where(back, exchanged - _PRICE_OF_EXCHANGE > straight, found.exchanged),
        agreement=np.where(settled & seen.present, agreement, found.agreement),
    )


def _price_of_distance(
    seen: Sightings, proposals: Float64Array, first: NDArray[np.int64], second: NDArray[np.int64]
) -> Float64Array:
    """(N, P, V) up to 1/2, for a person much nearer or farther than lifted, compared with the two proposers."""
    top = np.argmax(seen.log_mixing, axis=-1)[..., None]
    lifted = np.take_along_axis(seen.distance, top, axis=-1)[:, None, :, 0]
    apart = proposals[:, :, None, 0] - seen.center
    along = (apart * seen.toward[:, None]).sum(axis=-1)
    ratio = np.log(np.maximum(along, MIN_DEPTH_M) / lifted)
    each = np.arange(len(first))
    usual = 0.5 * (ratio[:, each, first] + ratio[:, each, second])
    return np.asarray(0.5 - 0.5 * np.exp(-0.5 * np.square((ratio - usual[..., None]) / _DISTANCE_SPREAD)))


def _named_sides(seen: Sightings, found: Consensus) -> Consensus:
    """Exchange all sides at once where most views, or the lifted shapes if as many say so, call left right."""
    straight, exchanged = (found.used & ~found.exchanged).sum(axis=1), found.exchanged.sum(axis=1)
    shape = found.joints - found.joints[:, :1]
    as_named = _distance_of_shape(seen, shape, found.used & ~found.exchanged)
    turned = _distance_of_shape(seen, shape[:, _FLIP], found.exchanged)
    swap = (exchanged > straight) | ((exchanged == straight) & (exchanged > 0) & (turned < as_named))
    return Consensus(
        used=found.used,
        exchanged=np.where(swap[:, None], found.used & ~found.exchanged, found.exchanged),
        agreement=found.agreement,
        joints=np.where(swap[:, None, None], found.joints[:, _FLIP], found.joints),
    )


def _distance_of_shape(seen: Sightings, shape: Float64Array, views: NDArray[np.bool_]) -> Float64Array:
    """(N,) mean over some views of the distance from (N, J, 3) relative joints to the nearest hypothesis."""
    apart = np.linalg.norm(seen.means - shape[:, None, None], axis=-1).mean(axis=-1)
    nearest = np.where(np.isfinite(seen.log_mixing), apart, np.inf).min(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(views, nearest, 0.0).sum(axis=1) / views.sum(axis=1))
