"""The canonical view: what the network sees, freed of where, how far and through which lens the person was filmed.

The camera is turned by the smallest rotation that puts the confidence-weighted mean ray of the visible joints on the
optical axis; the picture is then divided by its root-mean-square radius. The answer is turned back by the same
rotation.
"""

from dataclasses import dataclass

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.geometry.pinhole import camera_to_slopes

MIN_RADIUS = 1e-6
"""Smallest RMS radius, a slope; also what keeps weighted means defined when every weight is 0."""


@dataclass(frozen=True, kw_only=True)
class CanonicalView:
    """A person seen along the optical axis at unit size.

    Attributes:
        slopes: (..., J, 2) points on the plane z = 1 of the line-of-sight frame; anything finite for missing joints.
        points: (..., J, 2) picture coordinates in units of the RMS radius; 0 for missing joints.
        log_radius: (...) natural logarithm of the RMS radius, itself a slope (dimensionless).
        rotation: (..., 3, 3) from the line-of-sight frame to the camera frame.
    """

    slopes: Array
    points: Array
    log_radius: Array
    rotation: Array


def rotation_to_axis(direction: Array) -> Array:
    """Smallest rotation that takes a unit vector to the optical axis (0, 0, 1).

    With v = d x e_z and c = d_z this is I + [v]x + [v]x^2 / (1 + c), written out (Rodrigues' formula without angles).

    Args:
        direction: (..., 3) unit vectors with z > -1.

    Returns:
        (..., 3, 3) rotation matrices R with R d = (0, 0, 1).
    """
    xp = array_namespace(direction)
    x, y, z = direction[..., 0], direction[..., 1], direction[..., 2]
    a = 1.0 / (1.0 + z)
    rows = [
        xp.stack([1.0 - a * x * x, -a * x * y, -x], axis=-1),
        xp.stack([-a * x * y, 1.0 - a * y * y, -y], axis=-1),
        xp.stack([x, y, z], axis=-1),
    ]
    return xp.stack(rows, axis=-2)


def canonical_view(slopes: Array, confidence: Array) -> CanonicalView:
    """Turn and scale what a camera saw.

    Args:
        slopes: (..., J, 2) points on the plane z = 1 of the camera frame; any finite value where missing.
        confidence: (..., J) weights in [0, 1]; 0 means missing.

    Returns:
        The canonical view. Pixels that all coincide give the smallest radius rather than a division by zero.
    """
    xp = array_namespace(slopes, confidence)
    rays = xp.concat([slopes, xp.ones_like(slopes[..., :1])], axis=-1)
    rays = rays / xp.sqrt(xp.sum(rays * rays, axis=-1, keepdims=True))
    weight = confidence[..., None]
    mean = xp.sum(weight * rays, axis=-2) + xp.asarray([0.0, 0.0, MIN_RADIUS], dtype=rays.dtype)
    to_axis = rotation_to_axis(mean / xp.sqrt(xp.sum(mean * mean, axis=-1, keepdims=True)))
    turned = camera_to_slopes(rays @ xp.matrix_transpose(to_axis))
    mean_square = xp.sum(weight * turned * turned, axis=(-2, -1)) / (xp.sum(confidence, axis=-1) + MIN_RADIUS)
    radius = xp.sqrt(xp.clip(mean_square, MIN_RADIUS**2, None))
    points = xp.where(weight > 0, turned / radius[..., None, None], xp.zeros_like(turned))
    return CanonicalView(slopes=turned, points=points, log_radius=xp.log(radius), rotation=xp.matrix_transpose(to_axis))
