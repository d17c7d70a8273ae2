"""Classes of actions, cleaned from the free texts of motion data.

A text says what a whole recording is about: in "sit on stepstool, stand up" people also stand. Where a pose can tell,
it must therefore show what the text says, or it is in no class. The first class whose words and test fit wins.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.skeletons import HUMAN36M17

_Test = Callable[[NDArray[np.floating]], NDArray[np.bool_]]

_THIGH_RAISED = math.cos(math.radians(50.0))
_TRUNK_LEANT = math.cos(math.radians(25.0))
_TRUNK_LEVEL = math.cos(math.radians(60.0))
_FOOT_RAISED_M = 0.3


def _down(pose_m: NDArray[np.floating], start: str, end: str) -> NDArray[np.floating]:
    """(N,) cosine between the way from one joint to another and straight down, in a world with Y up."""
    bone = pose_m[:, HUMAN36M17.index(end)] - pose_m[:, HUMAN36M17.index(start)]
    return np.asarray(-bone[:, 1] / np.maximum(np.linalg.norm(bone, axis=-1), 1e-6))


def _trunk_up(pose_m: NDArray[np.floating]) -> NDArray[np.floating]:
    return -_down(pose_m, "pelvis", "thorax")


def _sits(pose_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    thighs = np.maximum(_down(pose_m, "l_hip", "l_knee"), _down(pose_m, "r_hip", "r_knee"))
    return np.asarray((thighs < _THIGH_RAISED) & (_trunk_up(pose_m) > _TRUNK_LEVEL))


def _stands(pose_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    thighs = np.minimum(_down(pose_m, "l_hip", "l_knee"), _down(pose_m, "r_hip", "r_knee"))
    return np.asarray((thighs > _TRUNK_LEANT) & (_trunk_up(pose_m) > _TRUNK_LEANT))


def _lies(pose_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.asarray(_trunk_up(pose_m) < _TRUNK_LEVEL)


def _bends(pose_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    thighs = np.minimum(_down(pose_m, "l_hip", "l_knee"), _down(pose_m, "r_hip", "r_knee"))
    return np.asarray((_trunk_up(pose_m) < _TRUNK_LEANT) | (thighs < _THIGH_RAISED))


def _kicks(pose_m: NDArray[np.floating]) -> NDArray[np.bool_]:
    heights = pose_m[:, [HUMAN36M17.index("l_ankle"), HUMAN36M17.index("r_ankle")], 1]
    return np.asarray(np.abs(heights[:, 0] - heights[:, 1]) > _FOOT_RAISED_M)


@dataclass(frozen=True, kw_only=True)
class ActionClass:
    """A class.

    Attributes:
        name: Under which it is asked for.
        words: Pattern that its texts contain, whatever their case.
        test: Which of (N, 17, 3) poses, metres, Y up, show it; `None` if poses cannot tell.
    """

    name: str
    words: str
    test: _Test | None = None


_CLASSES = (
    ActionClass(name="kicking", words=r"kick|geri\b", test=_kicks),
    ActionClass(
        name="lying", words=r"\blie\b|lying|laying|sleep|death|get up|push ?ups?\b|sit ups|\broll\b|crawl", test=_lies
    ),
    ActionClass(name="sitting", words=r"\bsit|motorcycle|driving|meditate", test=_sits),
    ActionClass(name="climbing", words=r"climb|\bhang|dangle"),
    ActionClass(name="lifting", words=r"pick.?up|lift|put.?down|mop", test=_bends),
    ActionClass(name="punching", words=r"boxing|punch|jab|fighting|oiduki|empi|bassai|heian|gedan|syutou|melee"),
    ActionClass(name="dancing", words=r"danc|sexylady|swayt"),
    ActionClass(name="jumping", words=r"jump|\bhop\b|leap"),
    ActionClass(name="running", words=r"\brun|jog|sprint"),
    ActionClass(name="walking", words=r"walk|stride"),
    ActionClass(name="gesturing", words=r"traffic|signal|wash windows|greeting|waving|cheer|victory|applause|teapot"),
    ActionClass(name="standing", words=r"idle|soda|talk|listening|bored|confused|consume|interact", test=_stands),
)

ACTION_CLASSES = tuple(kind.name for kind in _CLASSES)
"""Names of the classes, in the order of their indices."""


def action_classes(action: NDArray[np.str_], pose_m: NDArray[np.floating]) -> NDArray[np.int64]:
    """Class of every pose.

    Args:
        action: (N,) texts.
        pose_m: (N, 17, 3) metres, world frame, Y up.

    Returns:
        (N,) indices into `ACTION_CLASSES`; -1 for poses of no class.
    """
    texts, which = np.unique(action, return_inverse=True)
    found = np.full(len(action), -1, np.int64)
    for index, kind in enumerate(_CLASSES):
        named = np.array([re.search(kind.words, str(text), re.IGNORECASE) is not None for text in texts])[which]
        open_rows = np.flatnonzero(named & (found < 0))
        shown = open_rows if kind.test is None else open_rows[kind.test(pose_m[open_rows])]
        found[shown] = index
    return found


def held_out_motions(action_class: NDArray[np.int64], motion: NDArray[np.int64], every: int = 4) -> NDArray[np.bool_]:
    """(N,) which poses belong to every fourth recording of their class, left out of training to judge with.

    Few subjects do everything, so labels cannot be split by subject as motions are: these recordings may be of people
    who were trained on, in other recordings.

    Args:
        action_class: (N,) as of `action_classes`.
        motion: (N,) recording of each pose.
        every: How many recordings there are to each that is held out.
    """
    held = np.zeros(len(motion), bool)
    for index in np.unique(action_class[action_class >= 0]):
        recordings = np.unique(motion[action_class == index])
        held |= (action_class == index) & np.isin(motion, recordings[every - 1 :: every])
    return held
