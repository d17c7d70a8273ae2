"""A calibrated camera: world to picture, and picture back to rays.

Conventions are OpenCV's: camera axes x right, y down, z forward; the centre of the upper left pixel is (0, 0);
distortion coefficients k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 τx τy, of which the first 4, 5, 8, 12 or 14 are given, or
the k1 k2 k3 k4 of `cv2.fisheye`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import GeometryError
from pose_mdn.geometry.lens import distort_slopes, undistort_slopes, validate_distortion
from pose_mdn.geometry.pinhole import pixels_to_slopes, slopes_to_pixels
from pose_mdn.poses.lens_model import BROWN, LensModel

Float64Array = NDArray[np.float64]

_ORTHOGONALITY_TOLERANCE = 1e-4
"""Calibration files round their numbers; a rotation further from orthogonal than this is something else."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """A pinhole with a lens in front of it, somewhere in the world.

    A world point X is seen at camera coordinates `rotation @ X + translation`. All arithmetic is in float64.

    Attributes:
        intrinsics: (3, 3) pinhole matrix [[fx, skew, cx], [0, fy, cy], [0, 0, 1]], pixels.
        distortion: 0, 4, 5, 8, 12 or 14 coefficients in OpenCV's order; empty for an ideal lens. 4 of a fisheye.
        rotation: (3, 3) from the world frame to the camera frame.
        translation: (3,) of the world's origin in the camera frame, in the world's unit (metres).
        image_size: (width, height) in pixels, if known.
        name: What the calibration calls this camera.
        lens_model: What the coefficients mean. A fisheye is known here only where rays have slopes: what it sees at 90
            degrees from its axis and beyond is NaN, in both directions.
    """

    intrinsics: Float64Array
    distortion: Float64Array = field(default_factory=lambda: np.zeros(0))
    rotation: Float64Array = field(default_factory=lambda: np.eye(3))
    translation: Float64Array = field(default_factory=lambda: np.zeros(3))
    image_size: tuple[int, int] | None = None
    name: str = ""
    lens_model: LensModel = BROWN

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "intrinsics", validate_intrinsics(self.intrinsics))
        set_field(self, "distortion", validate_distortion(self.distortion, self.lens_model))
        set_field(self, "rotation", _validate_rotation(self.rotation))
        set_field(self, "translation", _validate_translation(self.translation))

    @cached_property
    def optical_center(self) -> Float64Array:
        """(3,) C, where the camera stands in the world: the point that P maps to zero."""
        return -self.rotation.T @ self.translation

    @cached_property
    def projection_matrix(self) -> Float64Array:
        """(3, 4) P = K [R | t], homogeneous world points to homogeneous undistorted pixels."""
        return self.intrinsics @ np.column_stack([self.rotation, self.translation])

    def world_to_camera(self, points_m: ArrayLike) -> Float64Array:
        """Express world points (..., 3) in the camera frame."""
        return np.asarray(points_m, np.float64) @ self.rotation.T + self.translation

    def camera_to_world(self, points_m: ArrayLike) -> Float64Array:
        """Express camera-frame points (..., 3) in the world; the inverse of `world_to_camera`."""
        return (np.asarray(points_m, np.float64) - self.translation) @ self.rotation

    def project(self, points_m: ArrayLike) -> Float64Array:
        """Where world points appear in the picture as the lens draws it.

        Args:
            points_m: (..., 3) world positions.

        Returns:
            (..., 2) distorted pixels; NaN for points that are not in front of the camera.
        """
        points = self.world_to_camera(points_m)
        depth = points[..., 2:]
        slopes = points[..., :2] / np.where(depth > 0, depth, np.nan)
        return self._to_pixels(distort_slopes(slopes, self.distortion, self.lens_model))

    def unproject(self, points_px: ArrayLike, depth_m: ArrayLike) -> Float64Array:
        """World points (..., 3) that are seen at distorted pixels (..., 2) at depths (...) along the optical axis."""
        slopes = undistort_slopes(self._to_slopes(points_px), self.distortion, self.lens_model)
        depth = np.asarray(depth_m, np.float64)[..., None]
        return self.camera_to_world(np.concatenate(np.broadcast_arrays(slopes * depth, depth), axis=-1)[..., :3])

    def undistort_points(self, points_px: ArrayLike) -> Float64Array:
        """Move pixels to where an ideal lens with the same intrinsics would have drawn them.

        Args:
            points_px: (..., 2) pixels of the picture as it is.

        Returns:
            (..., 2) ideal pixels; NaN where the lens model has no inverse (beyond the border of what it can draw).
        """
        return self._to_pixels(undistort_slopes(self._to_slopes(points_px), self.distortion, self.lens_model))

    def back_project(self, points_px: ArrayLike, ray_parameter: ArrayLike) -> Float64Array:
        """A point of each pixel's ray, X(λ) = λ P⁺x + (1 - λ) C in homogeneous coordinates.

        P⁺ is the pseudo-inverse of the projection matrix, so P P⁺ x = x, and P C = 0: every λ gives a point that is
        seen at x; λ = 0 is the optical centre C (Hartley & Zisserman, Multiple View Geometry, section 6.2.2).

        Args:
            points_px: (..., 2) distorted pixels x.
            ray_parameter: (...) λ, dimensionless.

        Returns:
            (..., 3) world positions; infinite where λ names the point at infinity.
        """
        ideal_px = self.undistort_points(points_px)
        homogeneous_px = np.concatenate([ideal_px, np.ones_like(ideal_px[..., :1])], axis=-1)
        on_ray = homogeneous_px @ np.linalg.pinv(self.projection_matrix).T
        weight = np.asarray(ray_parameter, np.float64)[..., None]
        point = weight * on_ray + (1.0 - weight) * np.append(self.optical_center, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(point[..., :3] / point[..., 3:])

    def ray_directions(self, points_px: ArrayLike) -> Float64Array:
        """Unit vectors (..., 3) in the world from the optical centre through distorted pixels (..., 2)."""
        through = self.unproject(points_px, 1.0) - self.optical_center
        return np.asarray(through / np.linalg.norm(through, axis=-1, keepdims=True))

    def _to_slopes(self, points_px: ArrayLike) -> Float64Array:
        points = np.asarray(points_px, np.float64)
        return np.asarray(pixels_to_slopes(points.reshape(-1, 2), self.intrinsics)).reshape(points.shape)

    def _to_pixels(self, slopes: Float64Array) -> Float64Array:
        return np.asarray(slopes_to_pixels(slopes.reshape(-1, 2), self.intrinsics)).reshape(slopes.shape)


def validate_intrinsics(intrinsics: ArrayLike | Sequence[Sequence[float]]) -> Float64Array:
    """Check pinhole matrices and return them as float64.

    Args:
        intrinsics: (..., 3, 3) matrices [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] in pixels.

    Raises:
        GeometryError: One of them has another form, is not finite, or has a focal length that is not positive.
    """
    try:
        matrices = np.asarray(intrinsics, np.float64)
    except (TypeError, ValueError) as error:
        raise GeometryError(f"intrinsics: expected a 3 x 3 matrix of numbers, got {intrinsics!r}") from error
    if matrices.ndim < 2 or matrices.shape[-2:] != (3, 3):
        raise GeometryError(f"intrinsics: expected a 3 x 3 matrix, got shape {matrices.shape}")
    if not np.isfinite(matrices).all():
        raise GeometryError("intrinsics: expected finite numbers, got NaN or infinity")
    focal = matrices[..., [0, 1], [0, 1]]
    if (focal <= 0).any():
        raise GeometryError(f"intrinsics: expected positive focal lengths fx and fy in pixels, got {focal.min():g}")
    lower = matrices[..., [1, 2, 2, 2], [0, 0, 1, 2]]
    if not np.allclose(lower, [0, 0, 0, 1], rtol=0, atol=1e-9):
        raise GeometryError(
            "intrinsics: expected [[fx, skew, cx], [0, fy, cy], [0, 0, 1]], got a matrix with other numbers below the "
            "diagonal; is it transposed, or a projection matrix?"
        )
    return matrices


def _validate_rotation(rotation: ArrayLike) -> Float64Array:
    matrix = np.asarray(rotation, np.float64)
    if matrix.shape != (3, 3):
        raise GeometryError(f"rotation: expected a 3 x 3 matrix from world to camera, got shape {matrix.shape}")
    off = np.abs(matrix @ matrix.T - np.eye(3)).max()
    if not (off < _ORTHOGONALITY_TOLERANCE and np.linalg.det(matrix) > 0):
        raise GeometryError("rotation: expected an orthogonal matrix with determinant 1, got another one")
    return matrix


def _validate_translation(translation: ArrayLike) -> Float64Array:
    vector = np.asarray(translation, np.float64)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise GeometryError(f"translation: expected 3 finite numbers, got {vector}")
    return vector
