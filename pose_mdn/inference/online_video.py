"""Lifting live films, as `pose_mdn.inference.video` does recorded ones."""

from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference.detected_film import Detected, detect
from pose_mdn.inference.known_camera import KnownCamera, resolve_camera
from pose_mdn.inference.lifter import Lifter
from pose_mdn.inference.video_settings import VideoSettings
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.video import OnlineKeypointSmoother, OnlineSmoother, moments_s

Float64Array = NDArray[np.float64]


class OnlineVideoLifter:
    """Lifts a live film; rows come out once each, `lag` frames later, in the order in which they went in.

    Args:
        lifter: The model.
        settings: How.
        lag: How many frames a row waits for those after it. A third of them serve the linking, the others the
            keypoints.
    """

    def __init__(self, lifter: Lifter, settings: VideoSettings | None = None, *, lag: int = 5) -> None:
        self._lifter = lifter
        self._settings = settings or VideoSettings()
        of_hypotheses = self._settings.hypotheses
        linking_lag = lag // 3
        self._keypoints = OnlineKeypointSmoother(self._settings.keypoints, of_hypotheses, lag=lag - linking_lag)
        self._hypotheses = OnlineSmoother(of_hypotheses, lag=linking_lag)
        self._waiting: deque[Detected] = deque()
        self._film: KeypointSequence | None = None
        self._camera: KnownCamera | None = None

    def push(self, sequence: KeypointSequence, time_s: Float64Array | None = None) -> HypothesisSequence | None:
        """Take in rows of the next frame, or of several; give back the rows that are now final, if there are any.

        Args:
            sequence: In the order of frames, after all frames pushed before. If it has no intrinsics, those assumed
                for the first rows are kept.
            time_s: (N,) moments of the rows, if frames do not come regularly; frame numbers and frame rate tell
                otherwise.

        Raises:
            InputError: A frame is not after those before, moments do not ascend, or a frame has a person twice.
        """
        if not len(sequence):
            return None
        if sequence.intrinsics is not None or self._camera is None:
            self._camera = resolve_camera(sequence, self._settings.min_confidence)
        if time_s is None:
            time_s = moments_s(sequence.frame, sequence.fps, self._settings.hypotheses)
        detected = detect(sequence, self._camera, self._settings.min_confidence, time_s)
        final = self._keypoints.push(detected.sequence(sequence, self._camera), time_s)
        self._waiting.extend(detected.take(row) for row in range(len(sequence)))
        self._film = sequence
        return self._lift(final)

    def flush(self) -> HypothesisSequence | None:
        """All rows that still wait, if there are any, and a new beginning."""
        parts = [self._lift(self._keypoints.flush()), self._hypotheses.flush()]
        found = [part for part in parts if part is not None]
        return HypothesisSequence.concatenate(found) if found else None

    def _lift(self, smoothed: list[tuple[FloatArray, FloatArray]]) -> HypothesisSequence | None:
        """Lift the rows that have waited longest, with the (17, 2) points and (17,) confidences found for them."""
        if not smoothed:
            return None
        assert self._film is not None
        assert self._camera is not None
        detected = Detected.concatenate([self._waiting.popleft() for _ in smoothed])
        points, confidence = (np.stack(column) for column in zip(*smoothed, strict=True))
        seen = replace(detected, keypoints_px=points, confidence=confidence).sequence(self._film, self._camera)
        lifted = self._lifter.lift(seen, min_confidence=0.0, body=self._settings.body)
        restored = detected.restored(lifted, self._film, self._camera)
        return self._hypotheses.push(restored, detected.time_s) or None
