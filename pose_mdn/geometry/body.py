"""What a user knows of a person's size. One camera alone cannot tell it; without it the lifter answers with a guess."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pose_mdn.errors import InputError
from pose_mdn.geometry.kinematics import bone_classes
from pose_mdn.skeletons.human36m import HUMAN36M17

BONE_CLASSES = bone_classes(HUMAN36M17)[0]
"""Names of the bones: the joint at the far end, without its side; left and right have one length."""

STATURE_RANGE_M = (0.4, 2.6)
"""From the newly born to beyond the tallest people there were."""

BONE_RANGE_M = (0.01, 1.0)
"""No human bone between joints is longer; what lies outside was not meant in metres."""


@dataclass(frozen=True, kw_only=True)
class KnownBody:
    """Measures of one person; those left out stay in proportion to those given.

    Attributes:
        stature_m: Standing height from the soles to the top of the head, without shoes, metres.
        bone_lengths_m: Lengths in metres by the names of `BONE_CLASSES`: "knee" is the thigh, from hip to knee.

    Raises:
        InputError: Nothing is given, a bone is unknown, or a length is not a human one in metres.
    """

    stature_m: float | None = None
    bone_lengths_m: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.stature_m is None and not self.bone_lengths_m:
            raise InputError("body: expected a stature or at least one bone length in metres, got none", field="body")
        if self.stature_m is not None:
            check_stature_m(self.stature_m)
        check_bone_lengths_m(self.bone_lengths_m or {})

    def __str__(self) -> str:
        stature = [] if self.stature_m is None else [f"stature {self.stature_m:g} m"]
        bones = [f"{name} {length:g} m" for name, length in (self.bone_lengths_m or {}).items()]
        return ", ".join(stature + bones)


@dataclass(frozen=True, kw_only=True)
class KnownBodies:
    """Measures of several people.

    Attributes:
        everyone: For all who are not in `persons`; `None` if nothing is known of them.
        persons: By identity within the file.
    """

    everyone: KnownBody | None = None
    persons: Mapping[int, KnownBody] = field(default_factory=dict)

    def __str__(self) -> str:
        everyone = [] if self.everyone is None else [str(self.everyone)]
        return "; ".join(everyone + [f"person {person}: {body}" for person, body in self.persons.items()])


def check_stature_m(stature_m: float) -> float:
    """The stature, if a human being may have it; otherwise raises `InputError`."""
    low, high = STATURE_RANGE_M
    if not low <= stature_m <= high:
        raise InputError(
            f"stature_m: expected {low} to {high} metres, got {stature_m:g}{_in_metres(stature_m, high)}",
            field="stature_m",
        )
    return stature_m


def check_bone_lengths_m(bone_lengths_m: Mapping[str, float]) -> Mapping[str, float]:
    """The lengths, if all bones exist and a human being may have them; otherwise raises `InputError`."""
    low, high = BONE_RANGE_M
    for name, length in bone_lengths_m.items():
        if name not in BONE_CLASSES:
            near = difflib.get_close_matches(name, BONE_CLASSES, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"bone_lengths_m: expected bones from {', '.join(BONE_CLASSES)}, got {name[:64]!r}{hint}",
                field="bone_lengths_m",
            )
        if not low <= length <= high:
            raise InputError(
                f"bone_lengths_m: expected {low} to {high} metres for {name!r}, got {length:g}"
                f"{_in_metres(length, high)}",
                field="bone_lengths_m",
            )
    return bone_lengths_m


def _in_metres(value: float, largest_m: float) -> str:
    """A hint for numbers that are a human length in another unit."""
    for unit, factor in (("centimetres", 0.01), ("millimetres", 0.001)):
        if math.isfinite(value) and largest_m < value and value * factor <= largest_m:
            return f"; if these are {unit}, give {value * factor:g}"
    return ""
