"""What one calibrated view says about its people: rays in the world, and how far along them people should be."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.camera import Camera
from pose_mdn.people.observations import Float64Array, box_size_px
from pose_mdn.poses.hypotheses import HypothesisSequence

KEYPOINT_NOISE = 0.012
"""Standard deviation of a usual detector's keypoints, in parts of the person's size, the diagonal of their box."""
_LEAST_NOISE_PX = 0.7
_CALIBRATION_RAD = 0.005
"""By how much calibrations may be off."""


@dataclass(frozen=True, kw_only=True)
class ViewRays:
    """N people as one camera sees them; M hypotheses, 17 joints.

    Attributes:
        center_m: (3,) where the camera stands.
        direction: (N, 17, 3) unit vectors in the world; any unit vector where a joint is missing.
        weight: (N, 17) confidences; 0 where missing, and in rows that were not lifted.
        std_rad: (N,) noise of the directions.
        slant: (N, 17) cosine between the ray and the line of sight: range times slant is depth along the line of sight.
        root_m: (N,) expected depth of the pelvis along the line of sight.
        relative_m: (N, M, 17) depths of the joints from the pelvis.
        std_m: (N, M, 17) their standard deviations.
        log_mixing: (N, M) logarithms of the mixing coefficients.
    """

    center_m: Float64Array
    direction: Float64Array
    weight: Float64Array
    std_rad: Float64Array
    slant: Float64Array
    root_m: Float64Array
    relative_m: Float64Array
    std_m: Float64Array
    log_mixing: Float64Array

    def take(self, rows: NDArray[np.int64]) -> "ViewRays":
        """Some rows."""
        chosen = {field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name != "center_m"}
        return ViewRays(center_m=self.center_m, **chosen)

    @property
    def range_m(self) -> Float64Array:
        """(N, 17) expected distance of each joint from the camera."""
        mean = (np.exp(self.log_mixing)[..., None] * self.relative_m).sum(axis=1)
        return np.asarray(np.maximum(self.root_m[:, None] + mean, 0.2) / self.slant)

    @property
    def root_world_m(self) -> Float64Array:
        """(N, 3) where the people stand, roughly: their middle ray at the pelvis's depth."""
        middle = (self.weight[..., None] * self.direction).sum(axis=1)
        middle /= np.maximum(np.linalg.norm(middle, axis=-1, keepdims=True), 1e-9)
        return np.asarray(self.center_m + self.root_m[:, None] * middle)


def view_rays(hypotheses: HypothesisSequence, camera: Camera) -> ViewRays:
    """Look at hypotheses through the calibrated camera that saw their keypoints.

    If they were lifted with another focal length, their distance is corrected for it.
    """
    lifted = hypotheses.lifted
    points = hypotheses.keypoints_px.astype(np.float64)
    direction = camera.ray_directions(np.where(np.isfinite(points), points, 0.0))
    seen = lifted[:, None] & (hypotheses.confidence > 0) & np.isfinite(points).all(axis=-1)
    seen &= np.isfinite(direction).all(axis=-1)
    forward = hypotheses.view_rotation[..., 2].astype(np.float64) @ camera.rotation
    forward = np.where(lifted[:, None], forward, camera.rotation[2])
    direction = np.where(seen[..., None], direction, forward[:, None])
    focal_px = float(np.sqrt(camera.intrinsics[0, 0] * camera.intrinsics[1, 1]))
    lifted_with = np.sqrt(hypotheses.intrinsics[:, 0, 0] * hypotheses.intrinsics[:, 1, 1])
    mixing = np.where(lifted[:, None], hypotheses.mixing_coefficients.astype(np.float64), 1.0)
    axis = hypotheses.view_rotation[..., 2].astype(np.float64)
    root = (mixing * np.einsum("nmc,nc->nm", hypotheses.root_translation_m.astype(np.float64), axis)).sum(axis=1)
    noise_px = KEYPOINT_NOISE * box_size_px(points, seen)
    with np.errstate(divide="ignore"):
        log_mixing = np.log(mixing)
    return ViewRays(
        center_m=camera.optical_center,
        direction=direction,
        weight=np.where(seen, hypotheses.confidence.astype(np.float64), 0.0),
        std_rad=np.hypot(np.maximum(noise_px, _LEAST_NOISE_PX) / focal_px, _CALIBRATION_RAD),
        slant=np.maximum(np.einsum("njc,nc->nj", direction, forward), 0.1),
        root_m=np.where(lifted, root * focal_px / lifted_with, 1.0),
        relative_m=np.nan_to_num(np.einsum("nmjc,nc->nmj", hypotheses.means_m.astype(np.float64), axis)),
        std_m=np.nan_to_num(hypotheses.std_m[..., 1].astype(np.float64)),
        log_mixing=log_mixing,
    )
