"""Rows of a film as a detector saw them, before and after keypoints are smoothed and lifted."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.inference.known_camera import KnownCamera
from pose_mdn.inference.observations import STATUS_DTYPE, prepare
from pose_mdn.poses.confidences import refuse_percentages
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.human36m import HUMAN36M17

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Detected:
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

    def take(self, row: int) -> "Detected":
        """One row."""
        return Detected(**{column.name: getattr(self, column.name)[row : row + 1] for column in fields(self)})

    @classmethod
    def concatenate(cls, parts: Sequence["Detected"]) -> "Detected":
        """Rows of one part after another."""
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


def detect(sequence: KeypointSequence, camera: KnownCamera, min_confidence: float, time_s: Float64Array) -> Detected:
    """Mask and map what a detector wrote, without a sequence's own camera; a camera of one row counts for all."""
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
    return Detected(
        keypoints_px=observations.keypoints_px,
        confidence=observations.confidence,
        status=observations.status,
        frame=sequence.frame,
        person=sequence.person,
        intrinsics=intrinsics,
        time_s=time_s,
    )
