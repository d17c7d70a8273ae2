"""Where hypotheses appear in a picture, and how far their uncertainty reaches there.

Letters in shapes: N rows, M hypotheses, J = 17 joints.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.lens import distort_slopes
from pose_mdn.geometry.pinhole import slopes_to_pixels
from pose_mdn.poses.hypotheses import HypothesisSequence

Float64Array = NDArray[np.float64]

_LENS_STEP = 1e-5
"""In slopes: the derivative of the lens is a central difference over a hundredth of a pixel."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Hypotheses in the picture.

    Attributes:
        points_px: (N, M, 17, 2) pixels as the lens draws them; NaN behind the camera and in rows that were not lifted.
        covariance_px2: (N, M, 17, 2, 2) what the standard deviations of the joints become there, to first order.
        depth_m: (N, M, 17) along the optical axis.
    """

    points_px: Float64Array
    covariance_px2: Float64Array
    depth_m: Float64Array


@dataclass(frozen=True, kw_only=True)
class Viewpoint:
    """The camera through which hypotheses are looked at.

    Attributes:
        intrinsics: (N, 3, 3) pinhole matrices.
        distortion: OpenCV coefficients of the lens; empty for none.
        rotation: (3, 3) from the frame of the hypotheses to that of this camera.
        translation_m: (3,) of the origin of the hypotheses' frame in this camera's.
    """

    intrinsics: Float64Array
    distortion: Float64Array
    rotation: Float64Array
    translation_m: Float64Array

    @classmethod
    def of_hypotheses(cls, hypotheses: HypothesisSequence) -> "Viewpoint":
        """The camera that they were lifted for."""
        return cls(
            intrinsics=hypotheses.intrinsics.astype(np.float64),
            distortion=hypotheses.distortion.astype(np.float64),
            rotation=np.eye(3),
            translation_m=np.zeros(3),
        )

    @classmethod
    def of_camera(cls, camera: Camera, rows: int, lifted_with: Camera | None = None) -> "Viewpoint":
        """A calibrated camera, for hypotheses in its own frame or in that of another calibrated one."""
        rotation, translation = np.eye(3), np.zeros(3)
        if lifted_with is not None:
            rotation = camera.rotation @ lifted_with.rotation.T
            translation = camera.translation - rotation @ lifted_with.translation
        intrinsics = np.broadcast_to(camera.intrinsics, (rows, 3, 3))
        return cls(intrinsics=intrinsics, distortion=camera.distortion, rotation=rotation, translation_m=translation)


def project_hypotheses(hypotheses: HypothesisSequence, viewpoint: Viewpoint, root_m: Float64Array) -> Projection:
    """Project means and standard deviations.

    With the slope s = (x, y) = (X / Z, Y / Z) of a joint, a small displacement e moves it by (e_xy - s e_z) / Z. Of a
    covariance a² I + (l² - a²) d dᵀ, with a across and l along the line of sight d, that leaves
    (a² [I + s sᵀ] + (l² - a²) v vᵀ) / Z² with v = d_xy - s d_z, which lens and pinhole then stretch.

    Args:
        hypotheses: N rows.
        viewpoint: The camera.
        root_m: (N, M, 3) pelvis, in the camera frame of the hypotheses.
    """
    turn = viewpoint.rotation.T
    joints = (hypotheses.means_m.astype(np.float64) + root_m[:, :, None]) @ turn + viewpoint.translation_m
    depth = joints[..., 2]
    with np.errstate(invalid="ignore"):
        slopes = joints[..., :2] / np.where(depth > 0, depth, np.nan)[..., None]
    direction = (viewpoint.rotation @ hypotheses.view_rotation.astype(np.float64))[..., 2]
    covariance = _slope_covariance(slopes, depth, direction, hypotheses.std_m.astype(np.float64))
    stretch = viewpoint.intrinsics[:, None, None, :2, :2]
    if viewpoint.distortion.any():
        stretch = stretch @ _lens_derivative(slopes, viewpoint.distortion)
        slopes = distort_slopes(slopes, viewpoint.distortion)
    return Projection(
        points_px=np.asarray(slopes_to_pixels(slopes, viewpoint.intrinsics[:, None])),
        covariance_px2=stretch @ covariance @ np.swapaxes(stretch, -1, -2),
        depth_m=depth,
    )


def _slope_covariance(
    slopes: Float64Array, depth: Float64Array, direction: Float64Array, std: Float64Array
) -> Float64Array:
    """(N, M, 17, 2, 2) of (N, M, 17, 2) slopes with (N, 3) lines of sight and (N, M, 17, 2) deviations."""
    across, along = np.square(std[..., 0]), np.square(std[..., 1])
    view = direction[:, None, None]
    sideways = view[..., :2] - slopes * view[..., 2:]
    ball = np.eye(2) + slopes[..., :, None] * slopes[..., None, :]
    excess = sideways[..., :, None] * sideways[..., None, :]
    total = across[..., None, None] * ball + (along - across)[..., None, None] * excess
    return np.asarray(total / np.square(depth)[..., None, None])


def _lens_derivative(slopes: Float64Array, distortion: Float64Array) -> Float64Array:
    """(..., 2, 2) derivative of the lens at (..., 2) slopes."""
    columns = [
        (distort_slopes(slopes + step, distortion) - distort_slopes(slopes - step, distortion)) / (2 * _LENS_STEP)
        for step in _LENS_STEP * np.eye(2)
    ]
    return np.stack(columns, axis=-1)
