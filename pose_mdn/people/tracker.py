"""Following people through a stream of frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.people.assignment import ALONE, assign
from pose_mdn.people.motion import STRANGER, STRANGERS_ARE_KEPT_S, Tracks, surprise
from pose_mdn.people.observations import Float64Array, Observations, observe
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence

NOBODY = -1
"""`person` of a row that is no further person: nobody was seen, or somebody was detected twice."""

_FEWEST_JOINTS = 3
"""Fewer joints make no person; they may be what is left of somebody who is followed."""
_SAME_PLACE = 0.04
"""Joints as near as this, in parts of the size, are two detections of one joint: three times a detector's noise."""


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    """How people are followed.

    Attributes:
        memory_s: For how long somebody who is not seen is waited for while the stream goes on.
        joining_s: The longest gap over which two tracks are joined when the whole recording is known.
        fewest_frames: Who is seen in fewer frames, though the recording goes on, is taken for a false detection when
            the whole recording is known.
        assumed_fps: Frames per second if the file does not say.
    """

    memory_s: float = 2.0
    joining_s: float = 3.0
    fewest_frames: int = 3
    assumed_fps: float = 30.0

    def __post_init__(self) -> None:
        for name in ("memory_s", "joining_s"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"{name}: expected seconds, 0 or more, got {value}", field=name)
        if not (np.isfinite(self.assumed_fps) and self.assumed_fps > 0):
            message = f"assumed_fps: expected frames per second above 0, got {self.assumed_fps}"
            raise InputError(message, field="assumed_fps")


class PersonTracker:
    """Gives people of a stream numbers that stay with them, frame by frame, in time that does not grow.

    Args:
        fps: Frames per second, to which the frame numbers belong; the settings' assumption if unknown.
        settings: How people are followed.
    """

    def __init__(self, fps: float | None = None, settings: TrackingSettings | None = None) -> None:
        self._settings = settings or TrackingSettings()
        self._fps = fps or self._settings.assumed_fps
        self._tracks: Tracks | None = None
        self._born = 0
        self._last_frame: int | None = None

    def update(self, people: KeypointSequence | HypothesisSequence) -> NDArray[np.int64]:
        """Number the people of the next frame.

        Args:
            people: Rows of one frame, in any order; frames may be left out, and time goes on meanwhile.

        Returns:
            (N,) numbers, 0, 1, 2, ... in order of appearance; -1 for rows that are no further person.

        Raises:
            InputError: The rows are of several frames, or of one that is not later than the last.
        """
        if not len(people):
            return np.empty(0, np.int64)
        frame = int(people.frame[0])
        if (people.frame != frame).any():
            raise InputError("people: expected rows of one frame, got several; pass them one by one", field="frame")
        if self._last_frame is not None and frame <= self._last_frame:
            message = f"frame: expected one after {self._last_frame}, got {frame}; start another tracker to go back"
            raise InputError(message, field="frame")
        self._last_frame = frame
        return self.follow(observe(people), frame)

    def follow(self, seen: Observations, frame: int) -> NDArray[np.int64]:
        """The same, of rows that were looked at already; for whole recordings."""
        time_s = frame / self._fps
        identity = np.full(len(seen), NOBODY)
        if self._tracks is not None:
            self._tracks = self._remembered(self._tracks, time_s)
            row_of = assign(surprise(self._tracks, seen, time_s), price_alone=0.0)
            found = np.flatnonzero(row_of != ALONE)
            identity[row_of[found]] = self._tracks.identity[found]
            missed = self._tracks.take(np.flatnonzero(row_of == ALONE))
            self._tracks = self._tracks.take(found).see(seen.take(row_of[found]), time_s).joined_by(missed)
        new = self._newcomers(seen, identity)
        if new.size:
            identity[new] = self._born + np.arange(len(new))
            self._born += len(new)
            tracks = Tracks.begin(seen.take(new), identity[new], time_s)
            self._tracks = tracks if self._tracks is None else self._tracks.joined_by(tracks)
        return identity

    @property
    def tracks(self) -> Tracks | None:
        """The people who are remembered; `None` before anybody was seen."""
        return self._tracks

    def _remembered(self, tracks: Tracks, time_s: float) -> Tracks:
        is_stranger = tracks.times_seen < STRANGER
        patience = np.where(is_stranger, min(STRANGERS_ARE_KEPT_S, self._settings.memory_s), self._settings.memory_s)
        # A frame's length on top, for streams so slow that the next frame is beyond the memory already.
        kept = time_s - tracks.seen_s <= patience + 1.0 / self._fps
        return tracks if kept.all() else tracks.take(np.flatnonzero(kept))

    def _newcomers(self, seen: Observations, identity: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows that are new people, from left to right, so that the order of the rows does not matter."""
        is_person = ((seen.weight > 0).sum(axis=1) >= _FEWEST_JOINTS) & (seen.size_px > 0)
        left = np.flatnonzero(is_person & (identity == NOBODY))
        if not left.size:
            return left
        # Of two detections of one person, the one with more joints counts.
        place = (seen.weight * seen.points_px[..., 0]).sum(axis=1) / np.maximum(seen.weight.sum(axis=1), 1e-9)
        left = left[np.lexsort([place[left], -seen.weight[left].sum(axis=1)])]
        others = list(np.flatnonzero(identity != NOBODY))
        new: list[int] = []
        apart = _apart(seen)
        for row in left:
            if all(apart[row, other] > _SAME_PLACE for other in others + new):
                new.append(int(row))
        return np.array(sorted(new, key=lambda row: place[row]), np.int64)


def _apart(seen: Observations) -> Float64Array:
    """(D, D) median distance of joints, in sizes of the larger one; infinite with too few joints in common."""
    both = (seen.weight[:, None] > 0) & (seen.weight > 0)
    distance = np.linalg.norm(seen.points_px[:, None] - seen.points_px, axis=-1)
    distance = np.sort(np.where(both, distance, np.inf), axis=-1)
    count = both.sum(axis=-1)
    median = np.take_along_axis(distance, np.maximum(count - 1, 0)[..., None] // 2, axis=-1)[..., 0]
    size = np.maximum(np.maximum(seen.size_px[:, None], seen.size_px), 1e-9)
    return np.where(count >= _FEWEST_JOINTS, median / size, np.inf)
