"""Who is who across calibrated views of one scene.

Rows of two views and of one frame give evidence for being one person (`same_person`). It is summed over the frames that
two people of two views share, and the people are grouped so that nobody is in a group twice (`cluster`). Tracks that a
view brought along are believed; those found here are cut into pieces first (`pieces`).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.people.clustering import cluster
from pose_mdn.people.observations import Float64Array
from pose_mdn.people.pieces import pieces, same_frame
from pose_mdn.people.rays import ViewRays, view_rays
from pose_mdn.people.same_person import same_person
from pose_mdn.people.tracker import NOBODY
from pose_mdn.people.tracking import with_tracked_people
from pose_mdn.poses.hypotheses import HypothesisSequence

_PAIRS_AT_ONCE = 4096
"""Few enough to stay in the cache."""
_ONE_TRACK = 6.0
"""Evidence, in nats, that two pieces of a track are one person's; any frame or two of another view outweigh it."""


def match_people(
    views: Sequence[HypothesisSequence],
    cameras: Sequence[Camera],
    *,
    keep_unsupported: bool = False,
    frame_by_frame: bool = False,
) -> list[NDArray[np.int64]]:
    """Number the people of several views so that one person has one number everywhere.

    Views whose `person` numbers mean nothing from frame to frame are tracked first. Rows of the same frame number are
    of the same moment.

    Args:
        views: Hypotheses of each view, any number of rows each.
        cameras: The calibrated camera of each, in one world.
        keep_unsupported: Give people that no other view supports numbers of their own, instead of -1.
        frame_by_frame: Match every frame alone; numbers then mean nothing from frame to frame. For views whose people
            cannot be followed, such as single pictures.

    Returns:
        For each view (N_v,) numbers 0, 1, 2, ... in order of appearance; -1 for rows that no other view supports, that
        were not lifted, or whose `person` is -1.

    Raises:
        InputError: Another number of cameras than of views.
    """
    if len(views) != len(cameras):
        raise InputError(f"cameras: expected {len(views)}, one for each view, got {len(cameras)}", field="cameras")
    if not views:
        return []
    tracked = [view if frame_by_frame else with_tracked_people(view) for view in views]
    given = [view.tracked for view in views]
    people = _People(tracked, [view_rays(view, camera) for view, camera in zip(views, cameras, strict=True)])
    if frame_by_frame:
        return people.number(people.match_frames(), keep_unsupported=keep_unsupported)
    return people.number(people.match_tracks(given), keep_unsupported=keep_unsupported)


def people_of_views(
    views: Sequence[HypothesisSequence], cameras: Sequence[Camera], *, offsets: Sequence[int] | None = None
) -> list[NDArray[np.int64]]:
    """Number everybody for fusion, also those whom one view alone shows.

    Where no view ever shows two people at once, all that are seen are taken for one person; which views show somebody
    else is then for fusion to tell. Otherwise people are matched as by `match_people`.

    Args:
        views: As for `match_people`.
        cameras: As for `match_people`.
        offsets: Frames to add to each view's frame numbers, for cameras that did not start together; 0 if `None`.

    Returns:
        For each view (N_v,) numbers; -1 for nobody.
    """
    shown = [view.frame[(view.person != NOBODY) & (view.confidence > 0).any(axis=1)] for view in views]
    if all(len(np.unique(frame)) == len(frame) for frame in shown):
        return [np.where(view.person == NOBODY, NOBODY, 0) for view in views]
    offsets = [0] * len(views) if offsets is None else offsets
    moved = [replace(view, frame=view.frame + offset) for view, offset in zip(views, offsets, strict=True)]
    return match_people(moved, cameras, keep_unsupported=True)


class _People:
    """The rows of all views, one after another.

    Args:
        views: With the `person` numbers that hold within each view.
        rays: Of each view.
    """

    def __init__(self, views: Sequence[HypothesisSequence], rays: Sequence[ViewRays]) -> None:
        self.views, self.rays = views, rays
        self.sizes = [len(view) for view in views]
        self.view = np.repeat(np.arange(len(views)), self.sizes)
        self.frame = np.concatenate([view.frame for view in views])
        self.person = np.concatenate([view.person for view in views])
        self.usable = np.concatenate([(ray.weight > 0).any(axis=1) for ray in rays]) & (self.person != NOBODY)
        self.first, self.second, self.evidence = self._pairs()

    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Float64Array]:
        """Pairs of rows of two views and one frame, and their evidence."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        firsts, seconds, evidence = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
        for one in range(len(self.sizes)):
            for other in range(one + 1, len(self.sizes)):
                left, right = (np.arange(starts[v], starts[v + 1]) for v in (one, other))
                left, right = same_frame(left[self.usable[left]], right[self.usable[right]], self.frame)
                firsts.append(left)
                seconds.append(right)
                for begin in range(0, len(left), _PAIRS_AT_ONCE):
                    part = slice(begin, begin + _PAIRS_AT_ONCE)
                    rows = (left[part] - starts[one], right[part] - starts[other])
                    evidence.append(same_person(self.rays[one].take(rows[0]), self.rays[other].take(rows[1])))
        return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(evidence)

    def match_tracks(self, identities_given: Sequence[bool]) -> NDArray[np.int64]:
        """(N,) group of each row, by whole tracks where identities are given, otherwise by pieces of tracks.

        Rows that are nobody get -1.
        """
        given = np.asarray(identities_given)
        piece = [view.person if own else pieces(view) for view, own in zip(self.views, given, strict=True)]
        rows = np.flatnonzero(self.usable)
        _, first, node = np.unique(
            np.stack([self.view[rows], np.concatenate(piece)[rows]]), axis=1, return_index=True, return_inverse=True
        )
        node_of = np.full(len(self.view), -1)
        node_of[rows] = node
        view, person = self.view[rows[first]], self.person[rows[first]]
        evidence = np.zeros((len(first), len(first)))
        np.add.at(evidence, (node_of[self.first], node_of[self.second]), self.evidence)
        same_view = view[:, None] == view
        # Pieces of a track are numbered one after another.
        next_piece = np.eye(len(first), k=1, dtype=bool) & same_view & (person[:, None] == person)
        evidence[next_piece] -= _ONE_TRACK
        apart = same_view & (_seen_together(node, self.frame[rows], len(first)) | given[view][:, None])
        group = cluster(evidence + evidence.T, apart)
        return np.where(node_of >= 0, group[node_of], -1) if len(group) else node_of

    def match_frames(self) -> NDArray[np.int64]:
        """(N,) group of each row within its frame, no number in two frames; -1 for rows that are nobody."""
        label = np.full(len(self.view), -1)
        begun = 0
        pair_frame = self.frame[self.first]
        pairs_by_frame = np.argsort(pair_frame, kind="stable")
        for frame in np.unique(self.frame[self.usable]):
            rows = np.flatnonzero(self.usable & (self.frame == frame))
            begin, end = np.searchsorted(pair_frame[pairs_by_frame], [frame, frame + 1])
            pairs = pairs_by_frame[begin:end]
            evidence = np.zeros((len(rows), len(rows)))
            place = (np.searchsorted(rows, self.first[pairs]), np.searchsorted(rows, self.second[pairs]))
            evidence[place] = self.evidence[pairs]
            label[rows] = begun + cluster(evidence + evidence.T, self.view[rows][:, None] == self.view[rows])
            begun = int(label.max()) + 1
        return label

    def number(self, group: NDArray[np.int64], *, keep_unsupported: bool) -> list[NDArray[np.int64]]:
        """The answer, whose numbers depend neither on the order of views and rows nor on their own numbers."""
        kept = group >= 0
        if not keep_unsupported:
            views = np.zeros((int(group.max(initial=-1)) + 1, len(self.sizes)), bool)
            views[group[kept], self.view[kept]] = True
            supported = views.sum(axis=1) > 1
            kept[kept] = supported[group[kept]]
        root = np.concatenate([ray.root_world_m for ray in self.rays])
        order = np.flatnonzero(kept)
        first_frame = np.full(int(group.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first_frame, group[order], self.frame[order])
        # Those who appear together are counted along the world's first axis.
        place = np.full(len(first_frame), np.inf)
        np.minimum.at(place, group[order], root[order, 0])
        number = np.empty(len(first_frame), np.int64)
        number[np.lexsort([place, first_frame])] = np.arange(len(first_frame))
        result = np.where(kept, number[group] if len(number) else NOBODY, NOBODY)
        return np.split(result, np.cumsum(self.sizes)[:-1])


def _seen_together(node: NDArray[np.int64], frame: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """(K, K) whether two tracks share a frame."""
    _, place = np.unique(frame, return_inverse=True)
    present = np.zeros((count, int(place.max(initial=-1)) + 1), np.float32)
    present[node, place] = 1.0
    return np.asarray(present @ present.T > 0)
