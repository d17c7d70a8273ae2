"""From what a detector wrote to what the graph takes, and which rows cannot be lifted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.assumed_intrinsics import assume_intrinsics
from pose_mdn.geometry.camera import validate_intrinsics
from pose_mdn.geometry.lens import undistort_slopes, validate_distortion
from pose_mdn.geometry.pinhole import pixels_to_slopes, slopes_to_pixels
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.mapping import mapping_matrix, to_human36m17

DEFAULT_MIN_CONFIDENCE = 0.1
"""Joints that the detector trusts less than this are missing: its guess there is worse than none."""

MIN_JOINTS = 6
"""Of the 17: fewer say too little about a pose."""

PICTURE_MARGIN_PX = 1.0
"""A joint this far outside of the picture still counts as inside: detectors round, and differ in where pixels start."""

MIN_EXTENT = 2e-4
"""In slopes (a fifth of a pixel at a focal length of 1000 px); a person who fills less is a single point."""

_LARGEST_NORMALIZED = 2.0
_LARGEST_PX = 1e5
"""No camera makes such pictures; what lies beyond is a mistake of the file, not a joint."""

_STATUS_DTYPE = np.array([status.value for status in Status]).dtype


@dataclass(frozen=True, kw_only=True)
class Observations:
    """N rows ready for the graph.

    Attributes:
        keypoints_px: (N, 17, 2) pixels of the picture as given; NaN where missing.
        ideal_px: (N, 17, 2) what an ideal lens would have drawn; 0 where missing.
        confidence: (N, 17) in [0, 1]; 0 where missing.
        intrinsics: (N, 3, 3) pinhole matrices, float64.
        intrinsics_source: "given", or the sentence that states the assumption.
        distortion: Coefficients that were undone, float64.
        status: (N,) values of `Status`.
    """

    keypoints_px: FloatArray
    ideal_px: FloatArray
    confidence: FloatArray
    intrinsics: NDArray[np.float64]
    intrinsics_source: str
    distortion: NDArray[np.float64]
    status: NDArray[np.str_]

    @property
    def liftable(self) -> NDArray[np.int64]:
        """Indices of the rows to lift, in order."""
        return np.flatnonzero(np.char.startswith(self.status, Status.LIFTED.value))


def prepare(sequence: KeypointSequence, *, min_confidence: float = DEFAULT_MIN_CONFIDENCE) -> Observations:
    """Mask, map to Human3.6M-17, undistort, and decide what happens to each row.

    A joint is missing if it is not finite (or beyond any picture); if its confidence is 0, NaN or below
    `min_confidence`; if it lies outside of the picture, when the picture's size is known; or if the lens cannot have
    drawn anything there. Confidences above 1 count as 1.

    Raises:
        InputError: `min_confidence` is not in [0, 1], the coordinates are not pixels, or the camera contradicts itself.
        GeometryError: The intrinsics or the distortion are impossible.
    """
    if not 0 <= min_confidence <= 1:
        raise InputError(f"min_confidence: expected a number in [0, 1], got {min_confidence}", field="min_confidence")
    confidence = np.clip(np.nan_to_num(sequence.confidence, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    # A comparison with NaN is false, so this also finds what is not finite.
    somewhere = (confidence > 0) & (np.abs(sequence.keypoints_px) < _LARGEST_PX).all(axis=-1)
    seen = somewhere & (confidence >= min_confidence)
    outside = seen & _outside_picture(sequence)
    keypoints_px, confidence = to_human36m17(
        sequence.keypoints_px, np.where(seen & ~outside, confidence, 0), sequence.skeleton
    )
    intrinsics, source = _resolve_intrinsics(sequence, seen)
    distortion = validate_distortion(sequence.distortion)
    ideal_px = _undistort(keypoints_px, intrinsics, distortion)
    drawable = np.isfinite(ideal_px).all(axis=-1)
    confidence = np.where(drawable, confidence, 0).astype(np.float32, copy=False)
    mapping = mapping_matrix(sequence.skeleton) != 0
    return Observations(
        keypoints_px=keypoints_px,
        ideal_px=np.where(drawable[..., None], ideal_px, 0).astype(np.float32, copy=False),
        confidence=confidence,
        intrinsics=intrinsics,
        intrinsics_source=source,
        distortion=distortion,
        status=_decide_status(
            somebody=np.any(somewhere, axis=1),
            cut=np.any(outside & mapping.any(axis=0), axis=1),
            seen=drawable,
            provided=mapping.any(axis=1),
            extent=_extent(ideal_px, intrinsics, drawable),
        ),
    )


def _outside_picture(sequence: KeypointSequence) -> NDArray[np.bool_]:
    """(N, J) which joints lie outside of the picture; none if its size is unknown."""
    if sequence.image_size is None:
        return np.zeros(sequence.confidence.shape, bool)
    last = np.array(sequence.image_size, np.float32) - 1 + PICTURE_MARGIN_PX
    points = sequence.keypoints_px
    return np.asarray(((points < -PICTURE_MARGIN_PX) | (points > last)).any(axis=-1))


def _resolve_intrinsics(sequence: KeypointSequence, seen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], str]:
    """One matrix per row (N, 3, 3), and where they come from."""
    if sequence.intrinsics is not None:
        matrices, source = validate_intrinsics(sequence.intrinsics), "given"
    else:
        _refuse_distortion_alone(sequence)
        points_px = sequence.keypoints_px[seen]
        _refuse_normalized(points_px)
        matrices, source = assume_intrinsics(sequence.image_size, points_px)
    return np.broadcast_to(matrices, (len(sequence), 3, 3)).copy(), source


def _refuse_distortion_alone(sequence: KeypointSequence) -> None:
    if sequence.distortion is not None and np.any(sequence.distortion):
        raise InputError(
            "distortion: expected intrinsics beside it, got none; coefficients mean nothing without the matrix that "
            "they were calibrated with",
            field="intrinsics",
        )


def _refuse_normalized(points_px: FloatArray) -> None:
    """Fractions of the picture's width and height are a common mistake, and lifting them gives plausible nonsense."""
    if len(points_px) and np.ptp(points_px, axis=0).max() > 0 and np.abs(points_px).max() <= _LARGEST_NORMALIZED:
        raise InputError(
            f"keypoints: expected pixels, got coordinates between {points_px.min():.3g} and {points_px.max():.3g}; "
            "multiply x by the picture's width and y by its height",
            field="keypoints",
        )


def _undistort(
    keypoints_px: FloatArray, intrinsics: NDArray[np.float64], distortion: NDArray[np.float64]
) -> NDArray[np.floating]:
    """Ideal pixels (N, 17, 2); NaN where missing or beyond what the lens can draw."""
    if not distortion.any():
        return keypoints_px
    slopes = np.asarray(pixels_to_slopes(keypoints_px.astype(np.float64), intrinsics))
    return np.asarray(slopes_to_pixels(undistort_slopes(slopes, distortion), intrinsics))


def _extent(
    ideal_px: NDArray[np.floating], intrinsics: NDArray[np.float64], seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(N,) larger side of the box around the joints seen, in slopes; not finite if there are none."""
    box = [
        np.where(seen, ideal_px[..., axis], -np.inf).max(axis=1)
        - np.where(seen, ideal_px[..., axis], np.inf).min(axis=1)
        for axis in (0, 1)
    ]
    return np.asarray(np.maximum(box[0] / intrinsics[:, 0, 0], box[1] / intrinsics[:, 1, 1]), np.float64)


def _decide_status(
    *,
    somebody: NDArray[np.bool_],
    cut: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    provided: NDArray[np.bool_],
    extent: NDArray[np.float64],
) -> NDArray[np.str_]:
    """(N,) the first reason that holds, from what makes a row impossible to what makes it worse."""
    return np.select(
        [
            ~somebody,
            seen.sum(axis=1) < MIN_JOINTS,
            ~(extent >= MIN_EXTENT),
            cut,
            ~seen[:, provided].all(axis=1),
        ],
        [
            np.str_(status)
            for status in (
                Status.NO_PERSON,
                Status.TOO_FEW_JOINTS,
                Status.DEGENERATE,
                Status.LIFTED_CUT_BY_FRAME,
                Status.LIFTED_JOINTS_MISSING,
            )
        ],
        default=np.str_(Status.LIFTED),
    ).astype(_STATUS_DTYPE)
