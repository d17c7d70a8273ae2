"""From what a detector wrote to what the graph takes, and which rows cannot be lifted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.lens import distort_slopes, is_ideal, undistort_slopes
from pose_mdn.geometry.pinhole import pixels_to_slopes, slopes_to_pixels
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.poses.status import Status
from pose_mdn.skeletons.mapping import map_planes, mapping_matrix, to_human36m17

DEFAULT_MIN_CONFIDENCE = 0.1
"""Joints that the detector trusts less than this are missing: its guess there is worse than none."""

MIN_JOINTS = 6
"""Of the 17: fewer say too little about a pose."""

PICTURE_MARGIN_PX = 1.0
"""A joint this far outside of the picture still counts as inside: detectors round, and differ in where pixels start."""

MIN_EXTENT = 2e-4
"""In slopes (a fifth of a pixel at a focal length of 1000 px); a person who fills less is a single point."""

_LARGEST_PX = 1e5
"""No camera makes such pictures; what lies beyond is a mistake of the file, not a joint."""

STATUS_DTYPE = np.array([status.value for status in Status]).dtype
"""Of arrays of `Status` values."""


@dataclass(frozen=True, kw_only=True)
class Observations:
    """N rows ready for the graph.

    Attributes:
        keypoints_px: (N, 17, 2) pixels of the picture as given; NaN where missing.
        ideal_px: (N, 17, 2) what an ideal lens would have drawn; 0 where missing.
        confidence: (N, 17) in [0, 1]; 0 where missing.
        status: (N,) values of `Status`.
    """

    keypoints_px: FloatArray
    ideal_px: FloatArray
    confidence: FloatArray
    status: NDArray[np.str_]

    @property
    def liftable(self) -> NDArray[np.int64]:
        """Indices of the rows to lift, in order."""
        return np.flatnonzero(np.char.startswith(self.status, Status.LIFTED.value))


def joints_seen(sequence: KeypointSequence, min_confidence: float) -> NDArray[np.bool_]:
    """(N, J) which joints the detector found and trusts: finite, within any picture, confident enough."""
    planes_px = sequence.keypoints_px.transpose(2, 1, 0)
    return _found(planes_px, sequence.confidence.T).T & (sequence.confidence >= min_confidence)


def prepare(
    sequence: KeypointSequence,
    intrinsics: NDArray[np.float64],
    distortion: NDArray[np.float64],
    *,
    lens_model: LensModel = BROWN,
    min_confidence: float = DEFAULT_MIN_CONFIDENCE,
) -> Observations:
    """Mask, map to Human3.6M-17, undistort, and decide what happens to each row.

    A joint is missing if it is not finite (or beyond any picture); if its confidence is 0, NaN or below
    `min_confidence`; if it lies outside of the picture, when the picture's size is known; or if the lens cannot have
    drawn anything there. Confidences above 1 count as 1. No row depends on another.

    Args:
        sequence: N rows; its own camera is not looked at.
        intrinsics: (N, 3, 3) validated pinhole matrices.
        distortion: Validated coefficients, empty for none.
        lens_model: What they mean.
        min_confidence: Joints below this are missing.
    """
    # Joints first and rows last: numpy is several times as fast over long last axes.
    planes_px = np.ascontiguousarray(sequence.keypoints_px.transpose(2, 1, 0))
    given = np.ascontiguousarray(sequence.confidence.T)
    found = _found(planes_px, given)
    seen = found & (given >= min_confidence)
    outside = seen & _outside_picture(planes_px, sequence.image_size)
    used = seen & ~outside
    weights = np.where(used, np.minimum(given, 1), np.float32(0))
    if is_ideal(distortion, lens_model):
        # Adding NaN marks what is missing much faster than choosing does.
        planes_px += np.where(used, np.float32(0), np.float32(np.nan))
        keypoints_px, confidence = map_planes(planes_px, weights, sequence.skeleton, sequence.mapping)
        ideal_px = keypoints_px
    else:
        keypoints_px, ideal_px, confidence = _mapped_behind_lens(
            sequence, weights.T, intrinsics, distortion, lens_model
        )
    drawable = ~np.isnan(ideal_px[0])
    mapping = mapping_matrix(sequence.skeleton, sequence.mapping) != 0
    return Observations(
        keypoints_px=_rows_first(keypoints_px),
        ideal_px=_rows_first(np.where(drawable, ideal_px, np.float32(0))),
        confidence=_rows_first(confidence),
        status=_decide_status(
            somebody=np.asarray(found.any(axis=0)),
            cut=np.asarray(outside[mapping.any(axis=0)].any(axis=0)),
            seen=drawable,
            provided=mapping.any(axis=1),
            extent=_extent(ideal_px, intrinsics),
        ),
    )


def _rows_first(planes: FloatArray) -> FloatArray:
    """(N, J) or (N, J, 2) of (J, N) or (2, J, N)."""
    return np.ascontiguousarray(planes.transpose())


def _mapped_behind_lens(
    sequence: KeypointSequence,
    weights: NDArray[np.float32],
    intrinsics: NDArray[np.float64],
    distortion: NDArray[np.float64],
    lens_model: LensModel,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Human3.6M-17 joints as drawn and as an ideal lens would have drawn them, (2, 17, N), and confidences (17, N)."""
    # Undistorted first and mapped then: the middle of two joints is not in their middle behind a lens.
    seen_px = np.where((weights > 0)[..., None], sequence.keypoints_px, np.nan)
    undistorted_px = ideal_pixels(seen_px, intrinsics, distortion, lens_model)
    ideal_px, confidence = to_human36m17(undistorted_px, weights, sequence.skeleton, sequence.mapping)
    keypoints_px, _ = to_human36m17(sequence.keypoints_px, weights, sequence.skeleton, sequence.mapping)
    means = (mapping_matrix(sequence.skeleton, sequence.mapping) != 0).sum(axis=1) > 1
    drawn_px = drawn_pixels(ideal_px, intrinsics, distortion, lens_model)
    keypoints_px = np.where(means[:, None], drawn_px, keypoints_px).astype(np.float32)
    keypoints_px[np.isnan(ideal_px[..., 0])] = np.nan
    return keypoints_px.transpose(2, 1, 0), ideal_px.transpose(2, 1, 0), confidence.T


def _found(planes_px: FloatArray, confidence: FloatArray) -> NDArray[np.bool_]:
    """(J, N) which joints the detector wrote anything about; comparisons with NaN are false."""
    near = np.abs(planes_px) < _LARGEST_PX
    return np.asarray((confidence > 0) & near[0] & near[1])


def _outside_picture(planes_px: FloatArray, image_size: tuple[int, int] | None) -> NDArray[np.bool_]:
    """(J, N) which joints lie outside of the picture; none if its size is unknown."""
    if image_size is None:
        return np.zeros(planes_px.shape[1:], bool)
    last = np.array(image_size, np.float32)[:, None, None] - 1 + PICTURE_MARGIN_PX
    beyond = (planes_px < -PICTURE_MARGIN_PX) | (planes_px > last)
    return np.asarray(beyond[0] | beyond[1])


def ideal_pixels(
    keypoints_px: FloatArray,
    intrinsics: NDArray[np.float64],
    distortion: NDArray[np.float64],
    lens_model: LensModel = BROWN,
) -> NDArray[np.floating]:
    """Where an ideal lens would have drawn the joints.

    Args:
        keypoints_px: (N, J, 2) pixels of the picture as given, NaN where missing.
        intrinsics: (N, 3, 3) validated pinhole matrices.
        distortion: Validated coefficients, empty for none.
        lens_model: What they mean.

    Returns:
        (N, J, 2) pixels; NaN where missing or beyond what the lens can draw.
    """
    if is_ideal(distortion, lens_model):
        return keypoints_px
    slopes = np.asarray(pixels_to_slopes(keypoints_px.astype(np.float64), intrinsics))
    return np.asarray(slopes_to_pixels(undistort_slopes(slopes, distortion, lens_model), intrinsics))


def drawn_pixels(
    ideal_px: NDArray[np.floating],
    intrinsics: NDArray[np.float64],
    distortion: NDArray[np.float64],
    lens_model: LensModel = BROWN,
) -> NDArray[np.floating]:
    """The inverse of `ideal_pixels`."""
    slopes = np.asarray(pixels_to_slopes(ideal_px.astype(np.float64), intrinsics))
    return np.asarray(slopes_to_pixels(distort_slopes(slopes, distortion, lens_model), intrinsics))


def _extent(ideal_px: FloatArray, intrinsics: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) larger side of the box around the joints (2, 17, N) seen, in slopes; not finite if there are none."""
    # These two leave out NaN.
    box = np.fmax.reduce(ideal_px, axis=1) - np.fmin.reduce(ideal_px, axis=1)
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
    # The places of the reasons, and then their texts: choosing among texts copies each of them several times.
    reasons = np.full(len(somebody), len(_REASONS) - 1, np.int8)
    holds = (
        ~somebody,
        seen.sum(axis=0, dtype=np.uint8) < MIN_JOINTS,
        ~(extent >= MIN_EXTENT),
        cut,
        ~seen[provided].all(axis=0),
    )
    for reason in range(len(holds) - 1, -1, -1):
        reasons[holds[reason]] = reason
    return np.asarray(_REASONS[reasons])


_REASONS = np.array(
    [
        Status.NO_PERSON.value,
        Status.TOO_FEW_JOINTS.value,
        Status.DEGENERATE.value,
        Status.LIFTED_CUT_BY_FRAME.value,
        Status.LIFTED_JOINTS_MISSING.value,
        Status.LIFTED.value,
    ],
    dtype=STATUS_DTYPE,
)
