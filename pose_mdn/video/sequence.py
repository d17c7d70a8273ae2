"""Whole films: hypotheses in, the same rows linked and smoothed out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.lens import undistort_slopes
from pose_mdn.geometry.pinhole import camera_to_slopes, pixels_to_slopes, slopes_to_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.video.evidence import evidence_of, write_back
from pose_mdn.video.linking import Links, link
from pose_mdn.video.segments import Segment, moments_s, segments_of
from pose_mdn.video.settings import SmoothingSettings
from pose_mdn.video.smoothing import smooth

Float64Array = NDArray[np.float64]

_SMOOTHED = ("mixing_coefficients", "means_m", "std_m", "root_translation_m", "reprojection_error_px")


def smooth_sequence(
    hypotheses: HypothesisSequence,
    settings: SmoothingSettings | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> HypothesisSequence:
    """Link and smooth each person's hypotheses over time.

    Mixing coefficients become probabilities given the whole segment; means, standard deviations and root translations
    are smoothed; reprojection errors are those of the smoothed hypotheses at the row's own keypoints. Hypothesis m of
    a row remains hypothesis m. Rows that were not lifted stay as they are.

    Args:
        hypotheses: N rows, in any order; `frame` and `fps` are their time.
        settings: What is assumed.
        on_progress: Called with numbers of rows that are done.

    Raises:
        InputError: A person is in one frame twice.
    """
    settings = settings or SmoothingSettings()
    columns = {name: getattr(hypotheses, name).copy() for name in _SMOOTHED}
    for segment in _segments(hypotheses, settings):
        part = hypotheses.take(segment.rows)
        smoothed = smooth(evidence_of(part, segment.time_s), settings, on_progress)
        fields = write_back(part, smoothed.probability, smoothed.position, smoothed.variance)
        for name, values in with_reprojection_error(part, fields).items():
            columns[name][segment.rows] = values
    return replace(hypotheses, **columns)


def link_sequence(hypotheses: HypothesisSequence, settings: SmoothingSettings | None = None) -> Links:
    """Which components follow one another, without smoothing: (N, M) probabilities and (N,) the most probable path.

    Rows that were not lifted have NaN and -1.
    """
    settings = settings or SmoothingSettings()
    probability = np.full(hypotheses.mixing_coefficients.shape, np.nan)
    path = np.full(len(hypotheses), -1, np.int64)
    for segment in _segments(hypotheses, settings):
        links = link(evidence_of(hypotheses.take(segment.rows), segment.time_s), settings)
        probability[segment.rows], path[segment.rows] = links.probability, links.path
    return Links(probability=probability, path=path)


def with_reprojection_error(
    lifted: HypothesisSequence, fields: dict[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Smoothed fields of lifted rows, with `reprojection_error_px` computed from them."""
    seen = (lifted.confidence > 0) & np.isfinite(lifted.keypoints_px).all(axis=-1)
    intrinsics = lifted.intrinsics
    points_px = np.where(seen[..., None], lifted.keypoints_px, 0.0).astype(np.float64)
    slopes = undistort_slopes(
        np.asarray(pixels_to_slopes(points_px, intrinsics)), lifted.distortion.astype(np.float64), lifted.lens_model
    )
    ideal_px = np.asarray(slopes_to_pixels(slopes, intrinsics))
    joints = fields["means_m"].astype(np.float64) + fields["root_translation_m"][..., None, :]
    projected = np.asarray(slopes_to_pixels(camera_to_slopes(joints), intrinsics[:, None]))
    square = np.where(seen[:, None], np.square(projected - ideal_px[:, None]).sum(axis=-1), 0.0)
    weight = np.where(seen, lifted.confidence, 0.0).astype(np.float64)[:, None]
    with np.errstate(invalid="ignore"):
        error = np.sqrt((weight * square).sum(axis=-1) / weight.sum(axis=-1))
    return {**fields, "reprojection_error_px": error.astype(np.float32)}


def _segments(hypotheses: HypothesisSequence, settings: SmoothingSettings) -> list[Segment]:
    seen = (hypotheses.confidence > 0) & np.isfinite(hypotheses.keypoints_px).all(axis=-1)
    found = segments_of(
        hypotheses.keypoints_px,
        seen,
        hypotheses.lifted & (hypotheses.person >= 0),
        frame=hypotheses.frame,
        person=hypotheses.person,
        time_s=moments_s(hypotheses.frame, hypotheses.fps, settings),
        settings=settings,
    )
    return list(found)
