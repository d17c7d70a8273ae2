"""Lens distortion on the plane z = 1 of the camera frame, by OpenCV's models.

Working on slopes rather than pixels keeps the lens apart from the pinhole, so matrices with skew (which OpenCV's point
functions ignore) and a different matrix per row cost nothing extra.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import GeometryError
from pose_mdn.geometry.fisheye import distort_fisheye, undistort_fisheye
from pose_mdn.poses.lens_model import BROWN, DISTORTION_SIZES, FISHEYE, LENS_MODELS, LensModel

_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 25, 1e-12)
_NEWTON_STEPS = 20
_WITHOUT_TILT = 12
"""Number of coefficients up to which OpenCV's model is a polynomial or a ratio of two."""
_CONVERGED = 1e-10
"""In slopes: a ten-millionth of a pixel at a focal length of 1000 px."""
_IDENTITY = np.eye(3)
_ZERO = np.zeros(3)


def validate_distortion(distortion: ArrayLike | None, lens_model: LensModel = BROWN) -> NDArray[np.float64]:
    """Check distortion coefficients and return them as a flat float64 array; `None` gives the ideal lens.

    Raises:
        GeometryError: The model has another name, or another number of coefficients, or one is not finite.
    """
    if lens_model not in LENS_MODELS:
        raise GeometryError(f"lens_model: expected one of {', '.join(LENS_MODELS)}, got {lens_model!r}")
    try:
        coefficients = np.zeros(0) if distortion is None else np.asarray(distortion, np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise GeometryError(f"distortion: expected numbers k1 k2 p1 p2 k3 ..., got {distortion!r}") from error
    if coefficients.size not in DISTORTION_SIZES[lens_model]:
        raise GeometryError(_wrong_size(coefficients.size, lens_model))
    if not np.isfinite(coefficients).all():
        raise GeometryError("distortion: expected finite numbers, got NaN or infinity")
    return coefficients


def is_ideal(distortion: NDArray[np.float64], lens_model: LensModel = BROWN) -> bool:
    """Whether a lens draws everything where a pinhole would. A fisheye with zero coefficients does not."""
    return lens_model == BROWN and not distortion.any()


def distort_slopes(
    slopes: NDArray[np.float64], distortion: NDArray[np.float64], lens_model: LensModel = BROWN
) -> NDArray[np.float64]:
    """Where the lens draws points (..., 2) of the plane z = 1; same shape. NaN stays NaN."""
    if is_ideal(distortion, lens_model):
        return slopes
    distort = distort_fisheye if lens_model == FISHEYE else _distort
    flat = slopes.reshape(-1, 2)
    # numpy is slow over axes of two.
    finite = np.isfinite(flat[:, 0]) & np.isfinite(flat[:, 1])
    if finite.all():
        return distort(flat, distortion).reshape(slopes.shape)
    distorted = np.full_like(flat, np.nan)
    if finite.any():
        distorted[finite] = distort(flat[finite], distortion)
    return distorted.reshape(slopes.shape)


def undistort_slopes(
    slopes: NDArray[np.float64], distortion: NDArray[np.float64], lens_model: LensModel = BROWN
) -> NDArray[np.float64]:
    """The inverse of `distort_slopes`.

    Args:
        slopes: (..., 2) points as the lens draws them, divided by the pinhole matrix.
        distortion: Validated coefficients.
        lens_model: What they mean.

    Returns:
        (..., 2) ideal slopes; NaN where the input is not finite, where the model has no inverse, or where a fisheye
        sees 90 degrees and more away from its axis, for which there are no slopes.
    """
    if is_ideal(distortion, lens_model):
        return slopes
    flat = slopes.reshape(-1, 2)
    ideal = np.full_like(flat, np.nan)
    rows = np.flatnonzero(np.isfinite(flat).all(axis=1))
    if rows.size:
        undistort = undistort_fisheye if lens_model == FISHEYE else _undistort
        ideal[rows] = undistort(flat[rows], distortion)
    return ideal.reshape(slopes.shape)


def _wrong_size(size: int, lens_model: LensModel) -> str:
    if lens_model == FISHEYE:
        return f"distortion: expected the 4 coefficients k1 k2 k3 k4 of OpenCV's fisheye model, got {size}"
    return f"distortion: expected 4, 5, 8, 12 or 14 coefficients in OpenCV's order (k1 k2 p1 p2 k3 ...), got {size}"


def _distort(slopes: NDArray[np.float64], distortion: NDArray[np.float64]) -> NDArray[np.float64]:
    if distortion.size > _WITHOUT_TILT:
        points = np.column_stack([slopes, np.ones(len(slopes))])
        projected, _ = cv2.projectPoints(points, _ZERO, _ZERO, _IDENTITY, distortion)
        return np.asarray(projected, np.float64).reshape(-1, 2)
    # OpenCV's model written out: its function also works out 20 derivatives of each coordinate, at ten times the cost.
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = np.pad(distortion, (0, _WITHOUT_TILT - distortion.size))
    x, y = np.ascontiguousarray(slopes.T)
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    if k4 or k5 or k6:
        radial /= 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    # x (1 + ...) + p1 2xy + p2 (r² + 2x²) with x taken out, and the same for y.
    along = radial + 2 * (p1 * y + p2 * x)
    distorted = np.stack([x * along + p2 * r2, y * along + p1 * r2])
    if s1 or s2 or s3 or s4:
        distorted[0] += r2 * (s1 + r2 * s2)
        distorted[1] += r2 * (s3 + r2 * s4)
    return distorted.T


def _undistort(slopes: NDArray[np.float64], distortion: NDArray[np.float64]) -> NDArray[np.float64]:
    points = np.ascontiguousarray(slopes)[:, None]
    solved = cv2.undistortPoints(points, _IDENTITY, distortion, criteria=_CRITERIA)
    ideal = np.asarray(solved, np.float64).reshape(-1, 2)
    # OpenCV iterates a fixed point, which cannot settle beyond the fold of the lens model, where rays come twice: what
    # has converged is right. What has not is either slow (strong distortion) or has no solution at all.
    with np.errstate(invalid="ignore", over="ignore"):
        open_rows = np.flatnonzero(~(np.abs(_distort(ideal, distortion) - slopes).max(axis=1) < _CONVERGED))
    if open_rows.size:
        ideal[open_rows] = _undistort_newton(slopes[open_rows], distortion)
    return ideal


def _undistort_newton(slopes: NDArray[np.float64], distortion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Newton's method from the distorted point; NaN unless it ends on the branch that contains the optical axis."""
    ideal = slopes.copy()
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            residual, jacobian = _residual(ideal, slopes, distortion)
            determinant = np.linalg.det(jacobian)
            step = np.stack(
                [
                    jacobian[:, 1, 1] * residual[:, 0] - jacobian[:, 0, 1] * residual[:, 1],
                    jacobian[:, 0, 0] * residual[:, 1] - jacobian[:, 1, 0] * residual[:, 0],
                ],
                axis=1,
            )
            ideal -= step / determinant[:, None]
        residual, jacobian = _residual(ideal, slopes, distortion)
        solved = np.abs(residual).max(axis=1) < _CONVERGED
        # Beyond the fold the picture is turned over once (determinant), and then through its centre (other side).
        solved &= (np.linalg.det(jacobian) > 0) & ((ideal * slopes).sum(axis=1) > 0)
    ideal[~solved] = np.nan
    return ideal


def _residual(
    ideal: NDArray[np.float64], slopes: NDArray[np.float64], distortion: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the lens draws `ideal` (N, 2) from `slopes` (N, 2), and the derivative (N, 2, 2) of that."""
    points = np.column_stack([ideal, np.ones(len(ideal))])
    distorted, derivatives = cv2.projectPoints(points, _ZERO, _ZERO, _IDENTITY, distortion)
    # Columns 3 and 4: by the camera's translation in x and y, which at depth 1 is the derivative by the slope.
    jacobian = np.asarray(derivatives, np.float64).reshape(-1, 2, derivatives.shape[1])[:, :, 3:5]
    return np.asarray(distorted, np.float64).reshape(-1, 2) - slopes, jacobian
