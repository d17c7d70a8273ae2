"""Keypoints of a live film, smoothed as `keypoint_smoothing` does, each row once the film is `lag` frames further."""

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.video.frame_order import FrameOrder
from pose_mdn.video.keypoint_smoothing import Start, Window, filled_in, fit
from pose_mdn.video.segments import begins_anew, jumps, moments_s
from pose_mdn.video.settings import KeypointSettings, SmoothingSettings

Float64Array = NDArray[np.float64]

_ITERATIONS = 1
"""Weights are kept from push to push, so that they settle while a row waits."""
_FIRST_ITERATIONS = 3
"""Of a row that does not wait: its weights begin at 1."""


@dataclass(kw_only=True)
class _Entry:
    """A row that waits, or that those that wait still lean on.

    Attributes:
        frame: Its number.
        time_s: Its moment.
        window: The rows of its segment within reach.
        points_px: (J, 2); 0 where missing.
        seen: (J,).
        confidence: (J,).
        weight: (J,) of the observations, as found last.
        intensity: Of the step to this row, as found last.
    """

    frame: int
    time_s: float
    window: "deque[_Entry]"
    points_px: Float64Array
    seen: NDArray[np.bool_]
    confidence: Float64Array
    weight: Float64Array
    intensity: float


class OnlineKeypointSmoother:
    """Smooths keypoints while they come; rows come out once each, in the order in which they went in.

    Args:
        settings: How to smooth.
        segmentation: Where segments end.
        lag: How many frames a row waits for those after it.
    """

    def __init__(
        self,
        settings: KeypointSettings | None = None,
        segmentation: SmoothingSettings | None = None,
        *,
        lag: int = 5,
    ) -> None:
        if lag < 0:
            raise InputError(f"lag: expected a number of frames, 0 or more, got {lag}", field="lag")
        self._settings = settings or KeypointSettings()
        self._segmentation = segmentation or SmoothingSettings()
        self._lag = lag
        self._waiting: deque[_Entry] = deque()
        self._windows: dict[int, deque[_Entry]] = {}
        self._order = FrameOrder()

    def push(
        self, rows: KeypointSequence, time_s: Float64Array | None = None
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Take in rows of the next frame, or of several; give back points and confidences of those now final.

        Args:
            rows: In the layout Human3.6M-17, frames ascending.
            time_s: (N,) their moments, if frames do not come regularly.

        Raises:
            InputError: A frame is not after those before, moments do not ascend, or a frame has a person twice.
        """
        times = moments_s(rows.frame, rows.fps, self._segmentation) if time_s is None else time_s
        self._order.advance(rows.frame, rows.person, times)
        seen = (rows.confidence > 0) & np.isfinite(rows.keypoints_px).all(axis=-1)
        points = np.where(seen[..., None], rows.keypoints_px, 0.0).astype(np.float64)
        for index in range(len(rows)):
            entry = _Entry(
                frame=int(rows.frame[index]),
                time_s=float(times[index]),
                window=deque(),
                points_px=points[index],
                seen=seen[index],
                confidence=rows.confidence[index].astype(np.float64),
                weight=np.ones(seen.shape[1]),
                intensity=self._settings.acceleration,
            )
            if rows.person[index] >= 0:
                self._follow(int(rows.person[index]), entry)
            self._waiting.append(entry)
        if len(rows):
            self._forget(float(times[-1]))
        final, newest = [], self._order.newest
        while self._waiting and newest is not None and newest - self._waiting[0].frame >= self._lag:
            final.append(self._finished(self._waiting.popleft()))
        return final

    def flush(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """All rows that still wait, and a new beginning."""
        final = [self._finished(entry) for entry in self._waiting]
        self._waiting.clear()
        self._windows.clear()
        self._order = FrameOrder()
        return final

    def _follow(self, person: int, entry: _Entry) -> None:
        window = self._windows.get(person)
        if window is not None:
            last = next((earlier for earlier in reversed(window) if earlier.seen.any()), None)
            if last is None or self._is_cut(last, entry):
                window = None
        entry.window = deque() if window is None else window
        if entry.window:
            entry.intensity = entry.window[-1].intensity
        entry.window.append(entry)
        self._windows[person] = entry.window

    def _is_cut(self, last: _Entry, entry: _Entry) -> bool:
        jump = jumps(last.points_px, last.seen, entry.points_px, entry.seen)
        step_s = np.array(entry.time_s - last.time_s)
        return bool(begins_anew(jump, step_s, self._segmentation))

    def _finished(self, entry: _Entry) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        window = entry.window
        while window and window[0].time_s < entry.time_s - self._settings.reach_s:
            window.popleft()
        if not any(row.seen.any() for row in window):
            return np.full(entry.points_px.shape, np.nan, np.float32), np.zeros(len(entry.seen), np.float32)
        whole = Window(
            points_px=np.stack([row.points_px for row in window]),
            seen=np.stack([row.seen for row in window]),
            confidence=np.stack([row.confidence for row in window]),
            time_s=np.array([row.time_s for row in window]),
        )
        start = Start(
            weight=np.stack([row.weight for row in window]),
            intensity=np.array([row.intensity for row in islice(window, 1, None)]),
        )
        track = fit(whole, self._settings, start, iterations=_ITERATIONS if self._lag else _FIRST_ITERATIONS)
        for row, weight in zip(window, track.found.weight, strict=True):
            row.weight = weight
        for row, intensity in zip(islice(window, 1, None), track.found.intensity, strict=True):
            row.intensity = float(intensity)
        place = next(number for number, row in enumerate(window) if row is entry)
        own = replace(
            whole, points_px=whole.points_px[[place]], seen=whole.seen[[place]], confidence=whole.confidence[[place]]
        )
        points, confidence = filled_in(own, track, np.array([place]), self._settings)
        return points[0], confidence[0]

    def _forget(self, time_s: float) -> None:
        gone = [
            person
            for person, window in self._windows.items()
            if time_s - window[-1].time_s > self._segmentation.max_gap_s
        ]
        for person in gone:
            del self._windows[person]
