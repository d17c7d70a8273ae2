"""Tracks cut into pieces that surely show one person each.

A track that was found in one view may have changed persons where its person was out of sight, or where somebody else
was in the same place of the picture. Other views know better, so it is cut there before views are matched.
"""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.people.observations import Float64Array, observe
from pose_mdn.people.tracker import NOBODY, TrackingSettings
from pose_mdn.poses.hypotheses import HypothesisSequence

_OUT_OF_SIGHT_S = 0.35
_SAME_PLACE = 0.35
"""Middles of two people as near as this, in parts of the larger one's size, may be taken for each other."""


def pieces(view: HypothesisSequence) -> NDArray[np.int64]:
    """(N,) number of each row's piece, ascending in time within a track; -1 for rows that are nobody.

    A piece ends before a gap, and after a meeting with somebody else.
    """
    order = np.lexsort([view.frame, view.person])
    order = order[view.person[order] != NOBODY]
    piece = np.full(len(view), NOBODY)
    if not order.size:
        return piece
    time_s = view.frame[order] / (view.fps or TrackingSettings().assumed_fps)
    meets = _meets_somebody(view)[order]
    begins = np.ones(len(order), bool)
    begins[1:] = np.diff(view.person[order]) != 0
    begins[1:] |= np.diff(time_s) > _OUT_OF_SIGHT_S
    begins[1:] |= meets[:-1] & ~meets[1:]
    piece[order] = np.cumsum(begins) - 1
    return piece


def same_frame(
    left: NDArray[np.int64], right: NDArray[np.int64], frame: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of a left and a right row, given by their indices, that have one frame number."""
    right = right[np.argsort(frame[right], kind="stable")]
    begin = np.searchsorted(frame[right], frame[left], side="left")
    count = np.searchsorted(frame[right], frame[left], side="right") - begin
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(left, count), right[np.repeat(begin, count) + within]


def _meets_somebody(view: HypothesisSequence) -> NDArray[np.bool_]:
    """(N,) whether another row of the frame is in the same place."""
    seen = observe(view)
    total = np.maximum(seen.weight.sum(axis=1), 1e-9)[:, None]
    middle: Float64Array = (seen.weight[..., None] * seen.points_px).sum(axis=1) / total
    people = np.flatnonzero(seen.size_px > 0)
    one, other = same_frame(people, people, view.frame)
    one, other = one[one != other], other[one != other]
    near = np.linalg.norm(middle[one] - middle[other], axis=-1)
    near = near < _SAME_PLACE * np.maximum(seen.size_px[one], seen.size_px[other])
    meets = np.zeros(len(view), bool)
    meets[one[near]] = True
    return meets
