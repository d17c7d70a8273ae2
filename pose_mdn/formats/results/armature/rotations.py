"""Rotations of many frames at once, as unit quaternions (w, x, y, z) or as angles.

Quaternions turn column vectors; in a product the right factor turns first. Formulas: Shoemake, "Animating rotation with
quaternion curves", 1985.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NONE = 1e-9
"""Shorter vectors, in metres or as sine of an angle, have no direction."""


def identity(count: int) -> Floats:
    """(count, 4) rotations by nothing."""
    return np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))


def multiply(left: Floats, right: Floats) -> Floats:
    """(..., 4) the rotation `right`, then `left`."""
    w, v = left[..., :1], left[..., 1:]
    w_right, v_right = right[..., :1], right[..., 1:]
    scalar = w * w_right - (v * v_right).sum(-1, keepdims=True)
    return np.concatenate([scalar, w * v_right + w_right * v + np.cross(v, v_right)], axis=-1)


def inverse(rotation: Floats) -> Floats:
    """(..., 4) the rotation back."""
    return rotation * (1.0, -1.0, -1.0, -1.0)


def rotate(rotation: Floats, vector: Floats) -> Floats:
    """Turn (..., 3) vectors by (..., 4) rotations."""
    w, v = rotation[..., :1], rotation[..., 1:]
    twice = 2.0 * np.cross(v, vector)
    return np.asarray(vector + w * twice + np.cross(v, twice))


def smallest_turn(direction: Floats, vector: Floats) -> Floats:
    """The smallest rotations that take one direction to others.

    Args:
        direction: (3,) unit vector along a coordinate axis.
        vector: (T, 3) where to, of any length. Nothing is turned where it is 0.

    Returns:
        (T, 4). Where the directions are opposite any half turn is as small; one and the same is taken.
    """
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    unit = np.where(length > _NONE, vector / np.maximum(length, _NONE), direction)
    turn = np.concatenate([1.0 + unit @ direction[:, None], np.cross(direction, unit)], axis=-1)
    size = np.linalg.norm(turn, axis=-1, keepdims=True)
    half_turn = np.concatenate([[0.0], np.roll(np.abs(direction), 1)])
    return np.where(size > _NONE, turn / np.maximum(size, _NONE), half_turn)


def frame_of(across: Floats, up: Floats) -> Floats:
    """Rotations of bodies that are known by two directions.

    Args:
        across: (T, 3) where x points. Where it is 0 the smallest turn that takes y to `up` is taken.
        up: (T, 3) what y is nearest to. Where it is 0 or along `across` there is no turn about x.

    Returns:
        (T, 4) from the bodies' frames to that of the directions.
    """
    level = smallest_turn(np.array([1.0, 0.0, 0.0]), across)
    seen = rotate(inverse(level), up)
    leans = np.hypot(seen[:, 1], seen[:, 2]) > _NONE
    half = np.where(leans, np.arctan2(seen[:, 2], seen[:, 1]), 0.0) / 2
    zero = np.zeros_like(half)
    turned = multiply(level, np.stack([np.cos(half), np.sin(half), zero, zero], axis=-1))
    known = np.linalg.norm(across, axis=-1, keepdims=True) > _NONE
    return np.where(known, turned, smallest_turn(np.array([0.0, 1.0, 0.0]), up))


def without_sign_flips(rotation: Floats) -> Floats:
    """(T, 4) the same rotations with signs such that each is near the one before; the first has w >= 0.

    A quaternion and its negative are one rotation, but what lies between two of them depends on the signs.
    """
    backwards = np.einsum("tc,tc->t", rotation[1:], rotation[:-1]) < 0
    flips = np.concatenate([[rotation[0, 0] < 0], backwards])
    return np.where(np.cumsum(flips)[:, None] % 2 == 1, -rotation, rotation)


def zxy_angles_rad(rotation: Floats) -> Floats:
    """Angles (T, 3) about z, x and y, each turn about the axes as the ones before left them, without jumps.

    Of the two triples that give a rotation the one nearer to the frame before is taken, and full turns are added
    where that makes them nearer still. Where x is a quarter turn only the sum of the others is known; y is then 0.

    Args:
        rotation: (T, 4).
    """
    w, x, y, z = rotation.T
    sine = 2 * (y * z + w * x)
    front, side = 1 - 2 * (x * x + y * y), 2 * (w * y - x * z)
    locked = np.hypot(front, side) < _NONE
    about_z = np.where(
        locked,
        np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)),
        np.arctan2(2 * (w * z - x * y), 1 - 2 * (x * x + z * z)),
    )
    about_x = np.arctan2(sine, np.hypot(front, side))
    about_y = np.where(locked, 0.0, np.arctan2(side, front))
    first = np.stack([about_z, about_x, about_y], axis=-1)
    second = np.stack([about_z + np.pi, np.pi - about_x, about_y + np.pi], axis=-1)
    # From the second triple to the next first one it is as far as from the first to the next second one, so that
    # each step tells by itself whether to change over.
    changes = _distance(first[:-1], second[1:]) < _distance(first[:-1], first[1:])
    in_second = np.concatenate([[False], np.cumsum(changes) % 2 == 1])
    return np.unwrap(np.where(in_second[:, None], second, first), axis=0)


def _distance(before: Floats, after: Floats) -> Floats:
    """(T,) how far angles are apart, full turns left out."""
    return np.asarray(np.abs((after - before + np.pi) % (2 * np.pi) - np.pi).sum(axis=-1))
