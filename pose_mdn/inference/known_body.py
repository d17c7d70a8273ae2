"""Lifted hypotheses of people whose size is known."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.body import KnownBodies, KnownBody
from pose_mdn.geometry.known_body import stature_scale, with_bone_lengths
from pose_mdn.geometry.pinhole import camera_to_slopes, pixels_to_slopes, slopes_to_pixels
from pose_mdn.geometry.root_translation import solve_root_translation
from pose_mdn.inference.observations import ideal_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence

Float64Array = NDArray[np.float64]

_CHANGED = ("means_m", "std_m", "root_translation_m", "reprojection_error_px")


def with_known_body(hypotheses: HypothesisSequence, body: KnownBody | KnownBodies) -> HypothesisSequence:
    """Hypotheses in the size that is known; `size_source` of the result says so.

    A stature alone scales each hypothesis about the camera, so its reprojection error stays. With bone lengths the
    joints move, so the root translation is solved again and the reprojection error is new. Mixing coefficients stay.

    Args:
        hypotheses: N rows of M hypotheses.
        body: Of everybody, or by the identities in `hypotheses.person`.
    """
    bodies = body if isinstance(body, KnownBodies) else KnownBodies(everyone=body)
    lifted = hypotheses.lifted
    listed = np.isin(hypotheses.person, list(bodies.persons))
    groups = [(lifted & (hypotheses.person == person), known) for person, known in bodies.persons.items()]
    if bodies.everyone is not None:
        groups.append((lifted & ~listed, bodies.everyone))
    changed = {name: getattr(hypotheses, name).copy() for name in _CHANGED}
    for rows, known in groups:
        part = _resized(hypotheses.take(rows), known)
        for name in _CHANGED:
            changed[name][rows] = getattr(part, name)
    # How uncertain the pelvis's place is stays in proportion to its distance.
    growth = changed["root_translation_m"][..., 2:] / hypotheses.root_translation_m[..., 2:]
    changed["root_std_m"] = hypotheses.root_std_m * growth
    return replace(hypotheses, **changed, size_source=f"given: {bodies}")


def _resized(lifted: HypothesisSequence, body: KnownBody) -> HypothesisSequence:
    """Rows that were all lifted and are all of one body."""
    if body.bone_lengths_m:
        return _with_bone_lengths(lifted, body)
    assert body.stature_m is not None
    scale = stature_scale(lifted.means_m, body.stature_m)[..., None]
    return replace(
        lifted,
        means_m=lifted.means_m * scale[..., None],
        std_m=lifted.std_m * scale[..., None],
        root_translation_m=lifted.root_translation_m * scale,
    )


def _with_bone_lengths(lifted: HypothesisSequence, body: KnownBody) -> HypothesisSequence:
    means_m, growth = with_bone_lengths(lifted.means_m.astype(np.float64), body)
    seen_px = ideal_pixels(lifted.keypoints_px, lifted.intrinsics, lifted.distortion, lifted.lens_model)
    ideal_px = seen_px.astype(np.float64)
    seen = lifted.confidence > 0
    slopes = np.where(seen[..., None], pixels_to_slopes(ideal_px, lifted.intrinsics), 0.0)
    weight = lifted.confidence.astype(np.float64)[:, None]
    root_m = _solve_root(means_m, slopes, weight, lifted.view_rotation.astype(np.float64))
    projected = slopes_to_pixels(camera_to_slopes(means_m + root_m[..., None, :]), lifted.intrinsics[:, None])
    distance = np.where(seen[:, None, :, None], projected - ideal_px[:, None], 0.0)
    error_px = np.sqrt((weight * (distance**2).sum(axis=-1)).sum(axis=-1) / weight.sum(axis=-1))
    return replace(
        lifted,
        means_m=means_m.astype(np.float32),
        std_m=(lifted.std_m * growth[..., None]).astype(np.float32),
        root_translation_m=root_m.astype(np.float32),
        reprojection_error_px=error_px.astype(np.float32),
    )


def _solve_root(
    means_m: Float64Array, slopes: Float64Array, weight: Float64Array, view_rotation: Float64Array
) -> Float64Array:
    """(N, M, 3) pelvis positions, solved in the line-of-sight frame as the graph does."""
    rays = np.concatenate([slopes, np.ones_like(slopes[..., :1])], axis=-1)
    turned = camera_to_slopes(rays @ view_rotation)
    root = solve_root_translation(means_m @ view_rotation[:, None], turned[:, None], weight)
    return np.asarray(root @ np.swapaxes(view_rotation, -1, -2))
