"""Which bodies are possible: joint directions against the ranges of motion of the anatomical literature.

A direction is judged in the frame of the bone that carries it: thighs and spine in the pelvis, arms and neck in the
chest, shanks and forearms against thigh and upper arm. Joint positions do not show how a limb is turned about its own
axis; hinges therefore may bend anywhere within the sector that this turning can reach.

Ranges are the largest that these sources state for healthy people; what athletes and dancers do beyond is covered by
`TOLERANCE_RAD`, together with what a skeleton's joints differ from anatomical ones.

- AAOS: American Academy of Orthopaedic Surgeons, "Joint Motion: Method of Measuring and Recording", 1965.
- Boone and Azen, "Normal range of motion of joints in male subjects", J Bone Joint Surg Am 61, 1979.
- Soucie et al., "Range of motion measurements: reference values and a database for comparison studies", Haemophilia 17,
  2011.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from array_api_compat import array_namespace

from pose_mdn.array_types import Array
from pose_mdn.skeletons import HUMAN36M17

TOLERANCE_RAD = math.radians(15.0)
"""How far beyond its range a joint may be and still count as possible."""

_SMALLEST = 1e-9


@dataclass(frozen=True, kw_only=True)
class Swing:
    """How far a direction may turn away from where it rests, in degrees; between the four sides as an ellipse."""

    forward: float
    backward: float
    outward: float
    inward: float


@dataclass(frozen=True, kw_only=True)
class Hinge:
    """How far a joint may bend, and to which sides, in degrees.

    Attributes:
        flexion: Largest angle between the two bones.
        outward: How far from the middle of its sector the bend may turn away from the body.
        inward: How far it may turn towards the body.
    """

    flexion: float
    outward: float
    inward: float


HIP = Swing(forward=140.0, backward=30.0, outward=80.0, inward=30.0)
"""Thigh in the pelvis, from straight down. Flexion 120 (AAOS), 122 (Boone and Azen), 141 (girls of 2-8, Soucie);
extension 30, adduction 30 (AAOS); abduction 45 (AAOS), 46 (Boone and Azen) with the knee ahead, widened to 80 because
the hip that is bent or turned out, as in sitting cross-legged, goes much further."""

SHOULDER = Swing(forward=90.0, backward=115.0, outward=105.0, inward=90.0)
"""Upper arm in the chest, from level, half-way between ahead and aside; here forward means up and backward down.
Elevation 180 leaves 90 upwards; horizontal flexion 135 leaves 90 inwards and horizontal extension 45 leaves 90
outwards, extension 60 behind the body needs 128 down and outwards (AAOS)."""

SPINE = Swing(forward=60.0, backward=30.0, outward=35.0, inward=35.0)
"""Upper trunk in the pelvis. Lateral bending 35, extension 30 (AAOS); of a flexion of 80 the lower trunk, which
defines the pelvis's upward axis here, takes a part."""

NECK = Swing(forward=45.0, backward=45.0, outward=45.0, inward=45.0)
"""Neck in the chest: flexion, extension and lateral bending 45 (AAOS)."""

HEAD = Swing(forward=65.0, backward=65.0, outward=50.0, inward=50.0)
"""Head in the chest: the neck's range and the nod of the skull, about 20 more."""

TWIST_DEG = 55.0
"""Shoulder line against hip line about the trunk: rotation of the thoracolumbar spine 45 (AAOS) and what the shoulder
girdle adds."""

KNEE = Hinge(flexion=155.0, outward=50.0, inward=100.0)
"""Knee: flexion 135 (AAOS), 143 (Boone and Azen), 153 (girls of 2-8, Soucie). The bend points backward; rotation of the
hip, 45 each way (AAOS) and much more outward when it is bent, turns the shank. Hyperextension, 5 on average in
girls (Soucie), is within the tolerance."""

ELBOW = Hinge(flexion=150.0, outward=100.0, inward=100.0)
"""Elbow: flexion 150 (AAOS), 143 (Boone and Azen). Rotation of the shoulder, 90 each way (AAOS) and some of the girdle,
turns the bend about its middle, inwards and up."""

_ELBOW_MIDDLE_RAD = math.radians(40.0)
_SIDES = ("l", "r")

LIMIT_NAMES = (
    *(f"{side}_{joint}" for side in _SIDES for joint in ("hip", "knee", "shoulder", "elbow")),
    "spine",
    "neck",
    "head",
    "twist",
)
"""Names of the limits, in the order of `limit_excess_rad`."""


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Unit axes (..., 3) of a part of the trunk."""

    left: Array
    up: Array
    forward: Array


def limit_excess_rad(pose_m: Array) -> Array:
    """By how much each limit is exceeded.

    Args:
        pose_m: (..., 17, 3) Human3.6M-17 joints, any unit, place and orientation, right-handed axes.

    Returns:
        (..., K) angles in radians, 0 within the limit, in the order of `LIMIT_NAMES`.
    """
    xp = array_namespace(pose_m)
    return xp.stack(list(_excesses(pose_m)), axis=-1)


def within_limits(pose_m: Array, tolerance_rad: float = TOLERANCE_RAD) -> Array:
    """(...) whether no limit of (..., 17, 3) poses is exceeded by more than the tolerance."""
    return array_namespace(pose_m).all(limit_excess_rad(pose_m) <= tolerance_rad, axis=-1)


def _excesses(pose_m: Array) -> Iterator[Array]:
    pelvis = _frame(_bone(pose_m, "r_hip", "l_hip"), _bone(pose_m, "pelvis", "spine"))
    chest = _frame(_bone(pose_m, "r_shoulder", "l_shoulder"), _bone(pose_m, "spine", "thorax"))
    for side in _SIDES:
        sign = 1.0 if side == "l" else -1.0
        yield from _leg(pose_m, side, pelvis, sign * pelvis.left)
        yield from _arm(pose_m, side, chest, sign * chest.left)
    for part, child, swing, frame in (
        ("spine", "thorax", SPINE, pelvis),
        ("thorax", "neck_nose", NECK, chest),
        ("neck_nose", "head_top", HEAD, chest),
    ):
        direction = _unit(_bone(pose_m, part, child))
        yield _swing_excess(direction, frame.up, frame.forward, frame.left, swing)
    yield _twist_excess(pelvis.left, chest.left, _unit(_bone(pose_m, "pelvis", "thorax")))


def _leg(pose_m: Array, side: str, pelvis: _Frame, outward: Array) -> Iterator[Array]:
    thigh = _unit(_bone(pose_m, f"{side}_hip", f"{side}_knee"))
    shank = _unit(_bone(pose_m, f"{side}_knee", f"{side}_ankle"))
    yield _swing_excess(thigh, -pelvis.up, pelvis.forward, outward, HIP)
    back, side_axis = (_carry(axis, -pelvis.up, thigh) for axis in (-pelvis.forward, outward))
    yield _hinge_excess(thigh, shank, back, side_axis, KNEE)


def _arm(pose_m: Array, side: str, chest: _Frame, outward: Array) -> Iterator[Array]:
    upper = _unit(_bone(pose_m, f"{side}_shoulder", f"{side}_elbow"))
    fore = _unit(_bone(pose_m, f"{side}_elbow", f"{side}_wrist"))
    rest, across = (outward + chest.forward) * math.sqrt(0.5), (outward - chest.forward) * math.sqrt(0.5)
    yield _swing_excess(upper, rest, chest.up, across, SHOULDER)
    up, inward = _carry(chest.up, rest, upper), _carry(-across, rest, upper)
    cos, sin = math.cos(_ELBOW_MIDDLE_RAD), math.sin(_ELBOW_MIDDLE_RAD)
    yield _hinge_excess(upper, fore, cos * inward + sin * up, cos * up - sin * inward, ELBOW)


def _swing_excess(direction: Array, rest: Array, forward: Array, outward: Array, swing: Swing) -> Array:
    """(...) angle by which unit directions lie outside of an elliptical cone."""
    xp = array_namespace(direction)
    ahead, aside = _dot(direction, forward), _dot(direction, outward)
    across = xp.sqrt(ahead * ahead + aside * aside)
    angle = xp.atan2(across, _dot(direction, rest))
    along = xp.where(ahead > 0, ahead / math.radians(swing.forward), ahead / math.radians(swing.backward))
    sideways = xp.where(aside > 0, aside / math.radians(swing.outward), aside / math.radians(swing.inward))
    radius = angle * xp.sqrt(along * along + sideways * sideways) / xp.clip(across, _SMALLEST, None)
    return angle * (1.0 - 1.0 / xp.clip(radius, 1.0, None))


def _hinge_excess(upper: Array, lower: Array, middle: Array, outward: Array, hinge: Hinge) -> Array:
    """(...) angle by which the lower bone lies outside of the sector in which the joint bends."""
    xp = array_namespace(upper)
    towards, aside = _dot(lower, middle), _dot(lower, outward)
    across = xp.sqrt(towards * towards + aside * aside)
    flexion = xp.atan2(across, _dot(lower, upper))
    azimuth = xp.atan2(aside, towards)
    beyond = xp.clip(
        xp.where(azimuth > 0, azimuth - math.radians(hinge.outward), -azimuth - math.radians(hinge.inward)), 0.0, None
    )
    # Distance on the sphere to the sector's edge; where that is further than the straight joint, to the straight joint.
    to_edge = xp.asin(xp.clip(xp.sin(flexion) * xp.sin(xp.clip(beyond, None, math.pi / 2)), 0.0, 1.0))
    to_sector = xp.where(beyond > math.pi / 2, flexion, to_edge)
    return xp.maximum(to_sector, xp.clip(flexion - math.radians(hinge.flexion), 0.0, None))


def _twist_excess(hips: Array, shoulders: Array, trunk: Array) -> Array:
    xp = array_namespace(trunk)
    sine = _dot(xp.linalg.cross(hips, shoulders), trunk)
    cosine = _dot(hips, shoulders) - _dot(hips, trunk) * _dot(shoulders, trunk)
    return xp.clip(xp.abs(xp.atan2(sine, cosine)) - math.radians(TWIST_DEG), 0.0, None)


def _frame(left: Array, up: Array) -> _Frame:
    xp = array_namespace(left)
    left = _unit(left)
    up = _unit(up - left * _dot(up, left)[..., None])
    return _Frame(left=left, up=up, forward=xp.linalg.cross(left, up))


def _carry(vector: Array, rest: Array, direction: Array) -> Array:
    """Turn vectors by the smallest rotation that takes one unit direction to another."""
    xp = array_namespace(vector)
    total = rest + direction
    share = _dot(total, vector) / xp.clip(1.0 + _dot(rest, direction), _SMALLEST, None)
    return vector - total * share[..., None] + 2.0 * direction * _dot(rest, vector)[..., None]


def _bone(pose_m: Array, start: str, end: str) -> Array:
    return pose_m[..., HUMAN36M17.index(end), :] - pose_m[..., HUMAN36M17.index(start), :]


def _unit(vector: Array) -> Array:
    xp = array_namespace(vector)
    return vector / xp.clip(xp.sqrt(_dot(vector, vector)), _SMALLEST, None)[..., None]


def _dot(one: Array, other: Array) -> Array:
    return array_namespace(one).sum(one * other, axis=-1)
