"""The same smoothing on a live film: a row is answered once the film is `lag` frames further.

Forward beliefs are kept, one per row; a row that is due gets the belief of the at most `lag` frames after it, filtered
backwards from the newest. With a long lag that is the smoother of whole films; with lag 0 it is the filter.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.video.evidence import Evidence, evidence_of, write_back
from pose_mdn.video.frame_order import FrameOrder
from pose_mdn.video.linking import pair_potentials
from pose_mdn.video.segments import begins_anew, jumps, moments_s
from pose_mdn.video.sequence import with_reprojection_error
from pose_mdn.video.settings import SmoothingSettings
from pose_mdn.video.smoothing import Belief, combine, nothing, predict, step_intensities, update

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Step:
    """From one row of a segment to the next: potentials, time and motion between them."""

    log_pair: Float64Array
    time_s: float
    intensity: Float64Array


@dataclass(kw_only=True)
class _Entry:
    """A row that waits.

    Attributes:
        row: The row itself.
        evidence: What it says; nothing if it was not lifted.
        belief: Of it and all rows before it in its segment.
        step: From the row before it in its segment.
        later: The next row of its segment.
    """

    row: HypothesisSequence
    evidence: Evidence | None = None
    belief: Belief | None = None
    step: _Step | None = None
    later: "_Entry | None" = None


class OnlineSmoother:
    """Links and smooths hypotheses while they come.

    Rows come out once each, in the order in which they went in. Memory is bounded by the lag and the number of people,
    and the time per row by the lag.

    Args:
        settings: What is assumed.
        lag: How many frames a row waits for those after it; 0 answers at once.
    """

    def __init__(self, settings: SmoothingSettings | None = None, *, lag: int = 5) -> None:
        if lag < 0:
            raise InputError(f"lag: expected a number of frames, 0 or more, got {lag}", field="lag")
        self._settings = settings or SmoothingSettings()
        self._lag = lag
        self._waiting: deque[_Entry] = deque()
        self._newest: dict[int, _Entry] = {}
        self._order = FrameOrder()

    def push(self, rows: HypothesisSequence, time_s: Float64Array | None = None) -> HypothesisSequence:
        """Take in rows of the next frame, or of several; give back the rows that are now final.

        Args:
            rows: In the order of frames, after all frames pushed before. A frame without anybody moves time on by a
                row of person -1.
            time_s: (N,) their moments, if frames do not come regularly; otherwise frame numbers and frame rate tell.

        Raises:
            InputError: A frame is not after those before, moments do not ascend, or a frame has a person twice.
        """
        times = moments_s(rows.frame, rows.fps, self._settings) if time_s is None else time_s
        self._order.advance(rows.frame, rows.person, times)
        usable = rows.lifted & (rows.person >= 0)
        for index in range(len(rows)):
            here = slice(index, index + 1)
            entry = _Entry(row=rows.take(here))
            if usable[index]:
                entry.evidence = evidence_of(entry.row, times[here])
                self._follow(entry)
            self._waiting.append(entry)
        if len(rows):
            self._forget(float(times[-1]))
        final, newest = [], self._order.newest
        while self._waiting and newest is not None and newest - self._waiting[0].row.frame[0] >= self._lag:
            final.append(self._finished(self._waiting.popleft()))
        return HypothesisSequence.concatenate(final) if final else rows.take(slice(0, 0))

    def flush(self) -> HypothesisSequence | None:
        """All rows that still wait, and a new beginning; nothing if none wait."""
        final = [self._finished(entry) for entry in self._waiting]
        self._waiting.clear()
        self._newest.clear()
        self._order = FrameOrder()
        return HypothesisSequence.concatenate(final) if final else None

    def _follow(self, entry: _Entry) -> None:
        """Put a lifted row behind the newest one of its person, or begin a segment with it."""
        assert entry.evidence is not None
        person = int(entry.row.person[0])
        before = self._newest.get(person)
        if before is None or before.evidence is None or before.belief is None or self._is_cut(before, entry):
            belief = nothing(entry.evidence)
        else:
            entry.step = _step(before.evidence, entry.evidence, self._settings)
            belief = predict(before.belief, entry.step.log_pair, entry.step.time_s, entry.step.intensity)
            before.later = entry
        entry.belief = update(belief, entry.evidence, 0, self._settings)
        self._newest[person] = entry

    def _is_cut(self, before: _Entry, entry: _Entry) -> bool:
        assert before.evidence is not None
        assert entry.evidence is not None
        jump = jumps(
            before.row.keypoints_px, before.row.confidence > 0, entry.row.keypoints_px, entry.row.confidence > 0
        )
        return bool(begins_anew(jump, entry.evidence.time_s - before.evidence.time_s, self._settings)[0])

    def _finished(self, entry: _Entry) -> HypothesisSequence:
        if entry.evidence is None or entry.belief is None:
            return entry.row
        following = []
        later = entry.later
        while later is not None:
            following.append(later)
            later = later.later
        after = nothing(entry.evidence)
        for row in reversed(following):
            assert row.evidence is not None
            assert row.step is not None
            after = update(after, row.evidence, 0, self._settings)
            after = predict(after, row.step.log_pair.T, row.step.time_s, row.step.intensity)
        probability, position, variance = combine(entry.belief, after)
        variance = variance + np.asarray(self._settings.lasting) * entry.evidence.variance[0]
        fields = write_back(entry.row, probability[None], position[None], variance[None])
        columns: dict[str, Any] = dict(with_reprojection_error(entry.row, fields))
        return replace(entry.row, **columns)

    def _forget(self, time_s: float) -> None:
        """Let go of people who have been away for too long to be linked to."""
        gone = [
            person
            for person, entry in self._newest.items()
            if entry.evidence is not None and time_s - entry.evidence.time_s[0] > self._settings.max_gap_s
        ]
        for person in gone:
            del self._newest[person]


def _step(earlier: Evidence, later: Evidence, settings: SmoothingSettings) -> _Step:
    return _Step(
        log_pair=pair_potentials(earlier, later, settings)[0],
        time_s=float(later.time_s[0] - earlier.time_s[0]),
        intensity=step_intensities(earlier, later, settings)[0],
    )
