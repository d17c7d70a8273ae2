"""The upright frame of pose priors: gravity known, heading free.

Its axes are those of a level OpenCV camera that looks at a person from the front: y points down along gravity, and a
person who *faces* it has x to their left and z behind them. Which way someone is turned says nothing of their pose, so
priors see poses that face, and the heading is kept beside them. It is that of the line from right to left through
hips and shoulders, on the ground; where that line is vertical any heading is as good.
"""

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.skeletons import HUMAN36M17

_SMALLEST_LENGTH_M = 1e-6
_GIRDLES = ("hip", "shoulder")


def y_up_to_upright(pose_m: Array) -> Array:
    """(..., J, 3) joints of a world with Y up in the upright frame: half a turn about x. Its own inverse."""
    xp = array_namespace(pose_m)
    return pose_m * xp.asarray([1.0, -1.0, -1.0], dtype=pose_m.dtype)


def heading_cos_sin(pose_m: Array) -> tuple[Array, Array]:
    """(...) cosine and sine of the heading of (..., 17, 3) upright poses; (1, 0) is that of one who faces."""
    xp = array_namespace(pose_m)
    left, right = (
        sum(pose_m[..., HUMAN36M17.index(f"{side}_{girdle}"), :] for girdle in _GIRDLES) for side in ("l", "r")
    )
    x, z = (left - right)[..., 0], (left - right)[..., 2]
    length = xp.sqrt(x * x + z * z)
    known = length > _SMALLEST_LENGTH_M
    safe = xp.where(known, length, xp.ones_like(length))
    return xp.where(known, x / safe, xp.ones_like(x)), xp.where(known, z / safe, xp.zeros_like(z))


def turn_to_face(pose_m: Array) -> Array:
    """Turn (..., 17, 3) upright poses about the vertical until they face."""
    cos, sin = heading_cos_sin(pose_m)
    return turn(pose_m, cos, -sin)


def turn(pose_m: Array, cos: Array, sin: Array) -> Array:
    """Turn (..., J, 3) joints about the vertical by angles of (...) cosine and sine; headings grow by them."""
    xp = array_namespace(pose_m)
    cos, sin = cos[..., None], sin[..., None]
    x, y, z = pose_m[..., 0], pose_m[..., 1], pose_m[..., 2]
    return xp.stack([cos * x - sin * z, y, sin * x + cos * z], axis=-1)
