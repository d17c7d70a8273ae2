"""Where hypotheses appear in a picture, and how far their uncertainty reaches there.

Letters in shapes: N rows, M hypotheses, J = 17 joints.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.lens import distort_slopes, is_ideal
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.lens_model import LensModel

Float64Array = NDArray[np.float64]

# Entries of vectors and 2 x 2 matrices are arrays of their own: numpy is slow over axes of two or three. Results have
# the usual order of axes, but lie in memory in that way.
_Symmetric: TypeAlias = tuple[Float64Array, Float64Array, Float64Array]
_Matrix: TypeAlias = tuple[Float64Array, Float64Array, Float64Array, Float64Array]

_LENS_STEP = 1e-5
"""In slopes: the derivative of the lens is a difference over a hundredth of a pixel."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Hypotheses in the picture.

    Attributes:
        points_px: (N, M, 17, 2) pixels as the lens draws them; NaN behind the camera and in rows that were not lifted.
        covariance_px2: (N, M, 17, 3) what the standard deviations of the joints become there, to first order: variance
            of u, covariance of u and v, variance of v.
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
        lens_model: What they mean.
        rotation: (3, 3) from the frame of the hypotheses to that of this camera.
        translation_m: (3,) of the origin of the hypotheses' frame in this camera's.
    """

    intrinsics: Float64Array
    distortion: Float64Array
    lens_model: LensModel
    rotation: Float64Array
    translation_m: Float64Array

    @classmethod
    def of_hypotheses(cls, hypotheses: HypothesisSequence) -> "Viewpoint":
        """The camera that they were lifted for."""
        return cls(
            intrinsics=hypotheses.intrinsics.astype(np.float64),
            distortion=hypotheses.distortion.astype(np.float64),
            lens_model=hypotheses.lens_model,
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
        return cls(
            intrinsics=intrinsics,
            distortion=camera.distortion,
            lens_model=camera.lens_model,
            rotation=rotation,
            translation_m=translation,
        )

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is another place than that from which the hypotheses were lifted."""
        return not (np.array_equal(self.rotation, np.eye(3)) and not self.translation_m.any())

    def draw(self, slopes: Float64Array) -> Float64Array:
        """(..., 2) slopes as the lens distorts them."""
        return distort_slopes(slopes, self.distortion, self.lens_model)

    def take(self, rows: slice) -> "Viewpoint":
        """The same for some rows."""
        return replace(self, intrinsics=self.intrinsics[rows])


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
    x, y, depth = _joints_m(hypotheses.means_m, root_m, viewpoint)
    with np.errstate(invalid="ignore", divide="ignore"):
        ahead = np.where(depth > 0, depth, np.nan)
        x, y = x / ahead, y / ahead
    towards = (viewpoint.rotation @ hypotheses.view_rotation.astype(np.float64))[..., 2]
    covariance = _slope_covariance((x, y, ahead), towards, hypotheses.std_m.astype(np.float64))
    pinhole = viewpoint.intrinsics[:, None, None]
    stretch = (pinhole[..., 0, 0], pinhole[..., 0, 1], pinhole[..., 1, 0], pinhole[..., 1, 1])
    if not is_ideal(viewpoint.distortion, viewpoint.lens_model):
        slopes = np.stack([x, y], axis=-1)
        drawn = viewpoint.draw(slopes)
        stretch = _product(stretch, _lens_derivative(slopes, drawn, viewpoint))
        x, y = drawn[..., 0], drawn[..., 1]
    u = pinhole[..., 0, 0] * x + pinhole[..., 0, 1] * y + pinhole[..., 0, 2]
    v = pinhole[..., 1, 1] * y + pinhole[..., 1, 2]
    return Projection(
        points_px=np.moveaxis(np.stack([u, v]), 0, -1),
        covariance_px2=np.moveaxis(np.stack(_stretched(covariance, stretch)), 0, -1),
        depth_m=depth,
    )


def _joints_m(means_m: NDArray[np.float32], root_m: Float64Array, viewpoint: Viewpoint) -> Float64Array:
    """(3, N, M, 17) joints in the frame of the camera that is looked through."""
    planes = np.moveaxis(means_m, -1, 0).astype(np.float64, order="C") + np.moveaxis(root_m, -1, 0)[..., None]
    turned = viewpoint.rotation @ planes.reshape(3, -1)
    return np.asarray((turned + viewpoint.translation_m[:, None]).reshape(planes.shape))


def _slope_covariance(
    joints: tuple[Float64Array, Float64Array, Float64Array], direction: Float64Array, std: Float64Array
) -> _Symmetric:
    """Of (N, M, 17) slopes x, y and depths, with (N, 3) lines of sight and (N, M, 17, 2) deviations."""
    x, y, depth = joints
    towards = direction[:, :, None, None]
    sideways_x, sideways_y = towards[:, 0] - x * towards[:, 2], towards[:, 1] - y * towards[:, 2]
    per_depth = 1.0 / np.square(depth)
    ball = np.square(std[..., 0]) * per_depth
    excess = np.square(std[..., 1]) * per_depth - ball
    return (
        ball * (1.0 + x * x) + excess * sideways_x * sideways_x,
        ball * (x * y) + excess * sideways_x * sideways_y,
        ball * (1.0 + y * y) + excess * sideways_y * sideways_y,
    )


def _lens_derivative(slopes: Float64Array, drawn: Float64Array, viewpoint: Viewpoint) -> _Matrix:
    """Of the lens, at (..., 2) slopes that it draws at other ones."""
    columns = [(viewpoint.draw(slopes + step) - drawn) / _LENS_STEP for step in _LENS_STEP * np.eye(2)]
    return columns[0][..., 0], columns[1][..., 0], columns[0][..., 1], columns[1][..., 1]


def _product(left: _Matrix, right: _Matrix) -> _Matrix:
    a, b, c, d = left
    e, f, g, h = right
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


def _stretched(covariance: _Symmetric, matrix: _Matrix) -> _Symmetric:
    """A C Aᵀ."""
    xx, xy, yy = covariance
    a, b, c, d = matrix
    return (
        a * a * xx + 2.0 * a * b * xy + b * b * yy,
        a * c * xx + (a * d + b * c) * xy + b * d * yy,
        c * c * xx + 2.0 * c * d * xy + d * d * yy,
    )
