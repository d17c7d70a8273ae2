"""Joining tracks across gaps, when the whole recording is known.

A track that ends and one that begins later may be one person's. Both motions are led on to the middle of the gap, the
later one backwards in time, and the surprise of meeting there is taken, with the bone lengths of all that was seen on
either side. The assignment of ends to beginnings with the least sum is made. Tracks that were out of sight are cut
there first, since somebody else may have come back.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pose_mdn.people.assignment import ALONE, assign
from pose_mdn.people.motion import STRANGER, STRANGERS_ARE_KEPT_S, Tracks, surprise
from pose_mdn.people.observations import Float64Array, Observations

_NOBODY = -1
_OUT_OF_SIGHT_S = 0.35
"""Gaps up to this are missed detections; longer ones may hide that somebody else came back."""
_UNCERTAIN = 0.7
"""Two motions over half of a gap each err by √½ of what one would over the whole."""
_ROWS_FOR_MOTION = 20
"""So many rows before an end, or after a beginning, tell motion and bone lengths there."""


def join_tracklets(
    seen: Observations, frame: NDArray[np.int64], identity: NDArray[np.int64], *, fps: float, longest_s: float
) -> NDArray[np.int64]:
    """Give tracks that are one person's one number.

    Args:
        seen: N rows.
        frame: (N,) their frame numbers.
        identity: (N,) the tracks' numbers, each at most once in a frame; -1 for none.
        fps: Frames per second.
        longest_s: Longer gaps are not joined.

    Returns:
        (N,) numbers; joined tracks have the number of the earliest of them.
    """
    tracks = _pieces(identity, frame / fps)
    if len(tracks) < 2:
        return identity
    cost = _joining_costs(tracks, seen, frame / fps, longest_s)
    following = assign(cost, price_alone=0.0)
    joined = identity.copy()
    for number, rows in enumerate(tracks):
        joined[rows] = number
    for earlier in np.argsort([frame[rows[0]] for rows in tracks]):
        later = following[earlier]
        if later != ALONE:
            joined[tracks[later]] = joined[tracks[earlier][0]]
    return joined


def _pieces(identity: NDArray[np.int64], time_s: Float64Array) -> list[NDArray[np.int64]]:
    """Rows of each track in order of time, cut where it was out of sight: who came back is judged anew."""
    pieces = []
    for number in np.unique(identity[identity != _NOBODY]):
        rows = np.flatnonzero(identity == number)
        rows = rows[np.argsort(time_s[rows])]
        pieces.extend(np.split(rows, np.flatnonzero(np.diff(time_s[rows]) > _OUT_OF_SIGHT_S) + 1))
    return pieces


def _joining_costs(
    tracks: list[NDArray[np.int64]], seen: Observations, time_s: Float64Array, longest_s: float
) -> Float64Array:
    """(K, K) surprise of the column's track following the row's; infinite where it cannot."""
    begin_s, end_s = (np.array([time_s[rows[place]] for rows in tracks]) for place in (0, -1))
    gap_s = begin_s - end_s[:, None]
    is_stranger = np.array([len(rows) < STRANGER for rows in tracks])
    patience = np.where(is_stranger[:, None] | is_stranger, min(STRANGERS_ARE_KEPT_S, longest_s), longest_s)
    possible = (gap_s > 0) & (gap_s <= patience)
    cost = np.full(gap_s.shape, np.inf)
    ends, begins = {}, {}
    for earlier, later in np.argwhere(possible):
        if earlier not in ends:
            ends[earlier] = _motion(tracks[earlier], seen, time_s)
        if later not in begins:
            begins[later] = _motion(tracks[later][::-1], seen, time_s)
        cost[earlier, later] = _meeting(ends[earlier], begins[later])
    return cost


def _meeting(earlier: Tracks, later: Tracks) -> float:
    """Surprise of one track's end after another's, in the middle of the gap."""
    middle_s = float(earlier.seen_s[0] + later.seen_s[0]) / 2.0
    gap_s = np.abs(later.seen_s - earlier.seen_s)[:, None]
    seen = Observations(
        points_px=later.predict(middle_s),
        weight=later.known.astype(np.float64),
        size_px=later.size_px,
        depths=later.depths,
    )
    return float(surprise(earlier, seen, middle_s, uncertain_s=_UNCERTAIN * gap_s)[0, 0])


def _motion(rows: NDArray[np.int64], seen: Observations, time_s: Float64Array) -> Tracks:
    """One track after it was seen as these rows, in this order; time may run backwards."""
    rows = rows[-_ROWS_FOR_MOTION:]
    track = Tracks.begin(seen.take(rows[:1]), np.zeros(1, np.int64), float(time_s[rows[0]]))
    for _, row in pairwise(rows.tolist()):
        track = track.see(seen.take(np.array([row])), float(time_s[row]))
    return track
