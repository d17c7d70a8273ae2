"""Two joints whose distance a user has measured.

Some pairs of joints keep their distance however a person moves: the ends of a bone, both hips, both shoulders.
Their distance holds in every frame, like a bone length. Any other pair (two wrists that hold a stick, the ankles of
a stride) has a distance at one frame, which must be named.
"""

import difflib
import math
from dataclasses import dataclass

from pose_mdn.errors import InputError
from pose_mdn.skeletons.human36m import HUMAN36M17

DISTANCE_RANGE_M = (0.05, 2.6)
"""Between joints of one person; shorter ones are drowned by the keypoints' noise."""

_BONES = {
    frozenset((HUMAN36M17.joint_names[parent], HUMAN36M17.joint_names[child])) for parent, child in HUMAN36M17.bones
}
RIGID_PAIRS = frozenset(_BONES | {frozenset(("l_hip", "r_hip")), frozenset(("l_shoulder", "r_shoulder"))})
"""Pairs that keep their distance, the shoulders nearly so."""


@dataclass(frozen=True, kw_only=True)
class KnownDistance:
    """The distance of two joints of a person.

    Attributes:
        joints: Names in Human3.6M-17.
        distance_m: Between them, metres.
        frame: At which it was measured; `None` for a pair that keeps its distance.
        person: Whose joints, by identity within the file; `None` if there is one person only.

    Raises:
        InputError: A joint is unknown, both are the same, the pair needs a frame, or the distance is not a human one.
    """

    joints: tuple[str, str]
    distance_m: float
    frame: int | None = None
    person: int | None = None

    def __post_init__(self) -> None:
        for name in self.joints:
            if name not in HUMAN36M17.joint_names:
                near = difflib.get_close_matches(name, HUMAN36M17.joint_names, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise _wrong(f"joints from {', '.join(HUMAN36M17.joint_names)}, got {name[:64]!r}{hint}")
        one, other = self.joints
        if one == other:
            raise _wrong(f"two different joints, got {one!r} twice")
        low, high = DISTANCE_RANGE_M
        if not (math.isfinite(self.distance_m) and low <= self.distance_m <= high):
            raise _wrong(f"{low} to {high} metres between joints, got {self.distance_m:g} for {one}:{other}")
        if self.frame is None and not self.rigid:
            raise _wrong(
                f"a frame, since {one} and {other} move against each other, got none; say at which they were "
                f"{self.distance_m:g} m apart, as in {one}:{other}={self.distance_m:g}@120"
            )

    @property
    def rigid(self) -> bool:
        """Whether the joints keep their distance."""
        return frozenset(self.joints) in RIGID_PAIRS

    def __str__(self) -> str:
        whose = "" if self.person is None else f"person {self.person}: "
        when = "" if self.frame is None else f" at frame {self.frame}"
        return f"{whose}{self.joints[0]} to {self.joints[1]} {self.distance_m:g} m{when}"


def parse_known_distance(text: str) -> KnownDistance:
    """The distance of `[PERSON/]JOINT:JOINT=METRES[@FRAME]`, such as `l_hip:l_knee=0.43` or `2/l_wrist:r_wrist=1.1@30`.

    Raises:
        InputError: The text has another form, or says what cannot be.
    """
    whose, slash, rest = text.rpartition("/")
    pair, _, measure = rest.partition("=")
    one, _, other = pair.partition(":")
    distance, at, when = measure.partition("@")
    try:
        if not (pair and one and other):
            raise ValueError(text)
        person = int(whose) if slash else None
        frame = int(when) if at else None
        distance_m = float(distance)
    except ValueError:
        raise _wrong(f"[PERSON/]JOINT:JOINT=METRES[@FRAME], such as l_hip:l_knee=0.43, got {text[:80]!r}") from None
    return KnownDistance(joints=(one.strip(), other.strip()), distance_m=distance_m, frame=frame, person=person)


def _wrong(message: str) -> InputError:
    return InputError(f"known distance: expected {message}", field="known_distance")
