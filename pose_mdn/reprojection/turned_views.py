"""Whether keypoints show a pose from somewhere else.

A pose X (17 joints, 3D) is looked for in keypoints p (2D) under any rotation R, scale s and shift: the smallest
Σ w |p - s P R X|², both relative to their weighted means, P dropping the depth (scaled orthography, Hartley and
Zisserman, *Multiple View Geometry*, 2004, section 6.3). With the depths that are missing in p filled in from the last
estimate this is a Procrustes problem, and repeating the two steps never raises the sum. The start is the affine map
that fits best, made orthogonal.

Letters in shapes: B pairs of a pose and keypoints, J joints.
"""

from dataclasses import dataclass

import numpy as np

from pose_mdn.reprojection.agreement import Float64Array

_STEPS = 6
_THINNEST = 1e-9
"""Added to second moments, so that a flat pose has an inverse."""


@dataclass(frozen=True, kw_only=True)
class TurnedFit:
    """Poses, turned so that they look like keypoints.

    Attributes:
        rms_px: (B,) what is left; NaN if no joint was seen.
        rotation: (B, 3, 3) that does it, in the frame of the camera.
    """

    rms_px: Float64Array
    rotation: Float64Array

    @property
    def angle_rad(self) -> Float64Array:
        """(B,) by how much it turns."""
        cosine = (np.trace(self.rotation, axis1=-2, axis2=-1) - 1.0) / 2.0
        return np.asarray(np.arccos(np.clip(cosine, -1.0, 1.0)))


def fit_turned(pose_m: Float64Array, keypoints_px: Float64Array, weight: Float64Array) -> TurnedFit:
    """Turn poses.

    Args:
        pose_m: (B, J, 3) in the frame of the camera.
        keypoints_px: (B, J, 2), finite also where the weight is 0.
        weight: (B, J) non-negative.
    """
    total = weight.sum(axis=-1)
    share = weight / np.where(total > 0, total, np.nan)[:, None]
    solvable = np.flatnonzero(np.isfinite(pose_m).all(axis=(1, 2)) & (total > 0))
    rms, rotation = np.full(len(pose_m), np.nan), np.full((len(pose_m), 3, 3), np.nan)
    rms[solvable], rotation[solvable] = _fit(pose_m[solvable], keypoints_px[solvable], share[solvable, :, None])
    return TurnedFit(rms_px=rms, rotation=rotation)


def _fit(pose: Float64Array, keypoints: Float64Array, share: Float64Array) -> tuple[Float64Array, Float64Array]:
    pose = pose - (share * pose).sum(axis=1, keepdims=True)
    keypoints = keypoints - (share * keypoints).sum(axis=1, keepdims=True)
    spread = np.swapaxes(share * pose, 1, 2) @ pose
    rotation, scale = _start(np.swapaxes(share * keypoints, 1, 2) @ pose, spread)
    size = np.trace(spread, axis1=-2, axis2=-1)
    for _ in range(_STEPS):
        depth = scale[:, None, None] * (pose @ rotation[:, 2, :, None])
        filled = np.concatenate([keypoints, depth], axis=-1)
        rotation, stretch = _nearest_rotation(np.swapaxes(share * filled, 1, 2) @ pose)
        scale = stretch / size
    left = keypoints - scale[:, None, None] * (pose @ np.swapaxes(rotation[:, :2], 1, 2))
    return np.sqrt((share * np.square(left)).sum(axis=(1, 2))), rotation


def _start(cross: Float64Array, spread: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(B, 3, 3) rotations and (B,) scales of the affine maps (B, 2, 3)."""
    affine = np.linalg.solve(spread + _THINNEST * np.eye(3), np.swapaxes(cross, 1, 2))
    left, stretch, right = np.linalg.svd(np.swapaxes(affine, 1, 2), full_matrices=False)
    across = left @ right
    along = np.cross(across[:, 0], across[:, 1])
    return np.concatenate([across, along[:, None]], axis=1), stretch.mean(axis=-1)


def _nearest_rotation(cross: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Procrustes: the rotations that maximise tr(Rᵀ C), and that maximum."""
    left, stretch, right = np.linalg.svd(cross)
    sign = np.ones_like(stretch)
    sign[:, 2] = np.sign(np.linalg.det(left @ right))
    return (left * sign[:, None]) @ right, (stretch * sign).sum(axis=-1)
