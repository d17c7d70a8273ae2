"""Lifting films: keypoints smoothed over time, lifted, and their hypotheses linked and smoothed.

Most of what a lifter gets wrong in single frames comes from the detector's noise, which is new in every frame. It is
best removed where it is: in the picture, before the lifter makes depth of it. What remains is the lifter's own, and
lasts over frames; linking chooses among the hypotheses, and smoothing takes off the rest of the jitter.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.inference.known_camera import KnownCamera, resolve_camera
from pose_mdn.inference.lifter import Lifter
from pose_mdn.inference.observations import DEFAULT_MIN_CONFIDENCE, STATUS_DTYPE, prepare
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.video import (
    AFTER_KEYPOINTS,
    KeypointSettings,
    OnlineKeypointSmoother,
    OnlineSmoother,
    SmoothingSettings,
    moments_s,
    played,
    smooth_keypoints,
    smooth_sequence,
)

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """Of all stages.

    Attributes:
        keypoints: How keypoints are smoothed before they are lifted.
        hypotheses: How what was lifted from them is linked and smoothed.
        min_confidence: Joints below this are missing.
        body: The size of everybody, or of each person, if it is known.
    """

    keypoints: KeypointSettings = field(default_factory=KeypointSettings)
    hypotheses: SmoothingSettings = AFTER_KEYPOINTS
    min_confidence: float = DEFAULT_MIN_CONFIDENCE
    body: KnownBody | KnownBodies | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            message = f"min_confidence: expected a number in [0, 1], got {self.min_confidence}"
            raise InputError(message, field="min_confidence")


def lift_video(
    lifter: Lifter,
    sequence: KeypointSequence,
    settings: VideoSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """Lift a film.

    Keypoints and confidences of the result are those that were detected, not the smoothed ones. Rows that could not be
    lifted alone, but could with the help of their neighbours, have the status `lifted_from_neighbours`.

    Args:
        lifter: The model.
        sequence: N rows; identities say who is who over time.
        settings: How.
        on_progress: Called with numbers of rows that are lifted, and again when they are smoothed.

    Raises:
        InputError: A person is in one frame twice, or what `Lifter.lift` refuses.
        GeometryError: The camera is impossible.
    """
    settings = settings or VideoSettings()
    camera = resolve_camera(sequence, settings.min_confidence)
    times = moments_s(sequence.frame, sequence.fps, settings.hypotheses)
    detected = _detect(sequence, camera, settings.min_confidence, times)
    seen = detected.sequence(sequence, camera)
    smoothed = smooth_keypoints(seen, settings.keypoints, settings.hypotheses)
    lifted = lifter.lift(smoothed, min_confidence=0.0, body=settings.body, on_progress=on_progress)
    return smooth_sequence(detected.restored(lifted, sequence, camera), settings.hypotheses, on_progress)


def lift_again(
    lifter: Lifter,
    hypotheses: HypothesisSequence,
    settings: VideoSettings | None = None,
    *,
    lag: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """What `lift_video` makes of the keypoints that hypotheses were lifted from frame by frame.

    Args:
        lifter: The model.
        hypotheses: N rows, in any order.
        settings: How.
        lag: Answer as `OnlineVideoLifter` does, so many frames later; look at the whole film if left out.
        on_progress: Called with numbers of rows that are lifted, and again when they are smoothed; live ones once.
    """
    film = KeypointSequence(
        keypoints_px=hypotheses.keypoints_px,
        confidence=hypotheses.confidence,
        skeleton=HUMAN36M17,
        frame=hypotheses.frame,
        person=hypotheses.person,
        image_size=hypotheses.image_size,
        fps=hypotheses.fps,
        intrinsics=hypotheses.intrinsics,
        distortion=hypotheses.distortion,
        lens_model=hypotheses.lens_model,
    )
    settings = replace(settings or VideoSettings(), min_confidence=0.0)
    if lag is None or not len(film):
        found = lift_video(lifter, film, settings, on_progress)
    else:
        live = OnlineVideoLifter(lifter, settings, lag=lag)
        found = played(film, live.push, live.flush, on_progress)
    could = hypotheses.lifted | ~found.lifted
    return replace(
        found,
        status=np.where(could, hypotheses.status, found.status).astype(STATUS_DTYPE),
        source_skeleton=hypotheses.source_skeleton,
        intrinsics_source=hypotheses.intrinsics_source,
    )


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
        self._waiting: deque[_Detected] = deque()
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
        detected = _detect(sequence, self._camera, self._settings.min_confidence, time_s)
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
        detected = _Detected.concatenate([self._waiting.popleft() for _ in smoothed])
        points, confidence = (np.stack(column) for column in zip(*smoothed, strict=True))
        seen = replace(detected, keypoints_px=points, confidence=confidence).sequence(self._film, self._camera)
        lifted = self._lifter.lift(seen, min_confidence=0.0, body=self._settings.body)
        restored = detected.restored(lifted, self._film, self._camera)
        return self._hypotheses.push(restored, detected.time_s) or None


@dataclass(frozen=True, kw_only=True)
class _Detected:
    """N rows as a detector saw them, as Human3.6M-17 joints.

    Attributes:
        keypoints_px: (N, 17, 2) pixels of the picture as given; NaN where missing.
        confidence: (N, 17); 0 where missing.
        status: (N,) what lifting each row alone would end in.
        frame: (N,) numbers.
        person: (N,) identities.
        intrinsics: (N, 3, 3).
        time_s: (N,) moments.
    """

    keypoints_px: FloatArray
    confidence: FloatArray
    status: NDArray[np.str_]
    frame: NDArray[np.int64]
    person: NDArray[np.int64]
    intrinsics: Float64Array
    time_s: Float64Array

    def take(self, row: int) -> "_Detected":
        return _Detected(**{column.name: getattr(self, column.name)[row : row + 1] for column in fields(self)})

    @classmethod
    def concatenate(cls, parts: Sequence["_Detected"]) -> "_Detected":
        return cls(
            **{column.name: np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)}
        )

    def sequence(self, film: KeypointSequence, camera: KnownCamera) -> KeypointSequence:
        """These rows, with what holds for the whole film."""
        return KeypointSequence(
            keypoints_px=self.keypoints_px,
            confidence=self.confidence,
            skeleton=HUMAN36M17,
            frame=self.frame,
            person=self.person,
            image_size=film.image_size,
            fps=film.fps,
            intrinsics=self.intrinsics,
            distortion=camera.distortion,
            lens_model=camera.lens_model,
        )

    def restored(self, lifted: HypothesisSequence, film: KeypointSequence, camera: KnownCamera) -> HypothesisSequence:
        """What was lifted from smoothed keypoints, with what was detected instead of them."""
        could = np.char.startswith(self.status, Status.LIFTED.value)
        status = np.where(could, self.status, Status.LIFTED_FROM_NEIGHBOURS.value)
        return replace(
            lifted,
            keypoints_px=self.keypoints_px,
            confidence=self.confidence,
            status=np.where(lifted.lifted, status, lifted.status).astype(STATUS_DTYPE),
            source_skeleton=film.skeleton.name,
            intrinsics_source=camera.source,
        )


def _detect(sequence: KeypointSequence, camera: KnownCamera, min_confidence: float, time_s: Float64Array) -> _Detected:
    refuse_percentages(sequence.confidence)
    intrinsics = camera.intrinsics
    if len(intrinsics) != len(sequence):
        intrinsics = np.repeat(intrinsics[:1], len(sequence), axis=0)
    observations = prepare(
        sequence,
        intrinsics,
        camera.distortion,
        lens_model=camera.lens_model,
        min_confidence=min_confidence,
    )
    return _Detected(
        keypoints_px=observations.keypoints_px,
        confidence=observations.confidence,
        status=observations.status,
        frame=sequence.frame,
        person=sequence.person,
        intrinsics=intrinsics,
        time_s=time_s,
    )
