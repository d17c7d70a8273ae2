"""Fisheye lenses by OpenCV's model.

A ray at the angle θ from the optical axis is drawn at the radius

    θ_d(θ) = θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸)

of the plane z = 1 (Kannala and Brandt, "A Generic Camera Model and Calibration Method for Conventional, Wide-Angle, and
Fish-Eye Lenses", TPAMI 2006). A real fisheye may see 90 degrees and more, where rays have no slope; here they are NaN.
"""

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

_BISECTIONS = 70
"""More halvings than a double has digits; Newton's steps end the search after a few."""
_CONVERGED = 1e-14
"""In radians."""
_HUGE = 1e100
"""No lens has such coefficients; damaged files have, and must not make numbers overflow."""


def distorted_radius(angle_rad: Float64Array, coefficients: Float64Array) -> Float64Array:
    """θ_d(θ): where on the plane z = 1 a ray at an angle (...) is drawn, as a distance from the axis; same shape."""
    k1, k2, k3, k4 = coefficients
    t2 = angle_rad * angle_rad
    return np.asarray(angle_rad * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4)))))


def largest_angle(coefficients: Float64Array) -> float:
    """The angle in radians, at most π, up to which the model has an inverse: larger angles are drawn farther out."""
    # The derivative of θ_d is a polynomial in θ²; its first root is where the picture folds over. Written in 1/θ² its
    # leading coefficient is 1, whatever the lens, so that the last root is found however small the others are.
    derivative = np.clip(coefficients * (3, 5, 7, 9), -_HUGE, _HUGE)
    roots = np.roots([1.0, *derivative])
    folds = roots.real[(np.abs(roots.imag) < 1e-9 * np.abs(roots.real)) & (roots.real > 1 / np.pi**2)]
    return float(1 / np.sqrt(folds.max())) if folds.size else float(np.pi)


def ray_angle(radius: Float64Array, coefficients: Float64Array) -> Float64Array:
    """The inverse of `distorted_radius`: angles in radians up to `largest_angle`; NaN for radii that it never draws."""
    limit = largest_angle(coefficients)
    drawn = (radius >= 0) & (radius <= distorted_radius(np.array(limit), coefficients))
    angle = np.full(radius.shape, np.nan)
    angle[drawn] = _solve(radius[drawn], coefficients, limit)
    return angle


def distort_fisheye(slopes: Float64Array, coefficients: Float64Array) -> Float64Array:
    """Where the lens draws finite points (N, 2) of the plane z = 1; same shape."""
    slope = np.hypot(slopes[:, 0], slopes[:, 1])
    radius = distorted_radius(np.arctan(slope), coefficients)
    return slopes * _ratio(radius, slope)[:, None]


def undistort_fisheye(slopes: Float64Array, coefficients: Float64Array) -> Float64Array:
    """The inverse of `distort_fisheye`; NaN beyond the fold of the model and for rays at 90 degrees and more."""
    radius = np.hypot(slopes[:, 0], slopes[:, 1])
    angle = ray_angle(radius, coefficients)
    with np.errstate(invalid="ignore"):
        slope = np.where(angle < np.pi / 2, np.tan(angle), np.nan)
    return slopes * _ratio(slope, radius)[:, None]


def _ratio(numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    """Their quotient; 1, its limit, on the optical axis."""
    on_axis = denominator < 1e-12
    return np.where(on_axis, 1.0, numerator / np.where(on_axis, 1.0, denominator))


def _solve(radius: Float64Array, coefficients: Float64Array, limit: float) -> Float64Array:
    """Newton's method within a bracket that halves whenever a step would leave it; θ_d rises from 0 to `limit`."""
    slope_coefficients = coefficients * (3, 5, 7, 9)
    low, high = np.zeros_like(radius), np.full_like(radius, limit)
    angle = np.minimum(radius, limit)
    for _ in range(_BISECTIONS):
        residual = distorted_radius(angle, coefficients) - radius
        low, high = np.where(residual <= 0, angle, low), np.where(residual >= 0, angle, high)
        t2 = angle * angle
        k1, k2, k3, k4 = slope_coefficients
        with np.errstate(divide="ignore", invalid="ignore"):
            step = residual / (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
        newton = angle - step
        within = (newton >= low) & (newton <= high)
        updated = np.where(within, newton, (low + high) / 2)
        done = np.abs(updated - angle) <= _CONVERGED
        angle = updated
        if done.all():
            break
    return angle
