"""Which layout a list of joint names is, and where each of its joints stands."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.formats.faults import fault, shown
from pose_mdn.formats.joint_spelling import bare_name, normalized_names, spellings
from pose_mdn.skeletons import SKELETONS, Skeleton, mapping_table

FEWEST_JOINTS = 6
"""Fewer joints of the lifter's skeleton than this give no pose."""

_SURE_OF_NAMES = 0.9
"""That joints are what people who chose the names themselves called them."""
_SHOWN = 24

_WORDS = re.compile(r"[A-Z](?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SIDES = {"l": "l", "left": "l", "r": "r", "right": "r"}
_PARTS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "foot")
_SYNONYMS = {
    "root": "pelvis",
    "hip": "mid_hip",
    "hips": "mid_hip",
    "midhip": "mid_hip",
    "hip_mid": "mid_hip",
    "top_head": "head_top",
    "headtop": "head_top",
    "head_bottom": "upper_neck",
    "upperneck": "upper_neck",
    "neck_base": "neck_nose",
    "bigtoe": "big_toe",
    "smalltoe": "small_toe",
}
"""Names of MMPose's, OpenPose's and Halpe's joints -> those of this library, without sides."""


@dataclass(frozen=True, kw_only=True)
class BodyLayout:
    """Where the joints of a skeleton stand among the joints of a file.

    Attributes:
        skeleton: The layout that the joints are given in.
        num_joints: How many joints the file has.
        columns: For each joint of the skeleton its place in the file; -1 if the file lacks it.
        confidence: How sure that is; 1 if the file or the user says so.
        source: Who says so: "given", or a sentence.
    """

    skeleton: Skeleton
    num_joints: int
    columns: tuple[int, ...]
    confidence: float = 1.0
    source: str = "given"

    @property
    def is_whole(self) -> bool:
        """Whether the file's joints are the skeleton's, one by one."""
        return self.columns == tuple(range(self.num_joints))

    @classmethod
    def whole(cls, skeleton: Skeleton, *, confidence: float = 1.0, source: str = "given") -> "BodyLayout":
        """The layout of a file whose joints are a skeleton's."""
        count = skeleton.num_joints
        return cls(
            skeleton=skeleton, num_joints=count, columns=tuple(range(count)), confidence=confidence, source=source
        )


def layout_of_names(names: Sequence[str], *, confidence: float = 1.0, source: str = "") -> BodyLayout | None:
    """The skeleton that suits the joints named; the rest (hands, faces) is left out.

    What counts first is how many joints of the lifter's skeleton can be made, then how few joints the skeleton lacks,
    then how many joints are kept.

    Args:
        names: One per joint, such as "left_knee", "LKnee" or "l_knee".
        confidence: How sure the names are.
        source: Where they come from, for the sentence; empty if the file names them.

    Returns:
        `None` if the names are not those of a body.
    """
    places = {name: place for place, name in reversed(list(enumerate(joint_names(names))))}
    best, best_score = None, (FEWEST_JOINTS, -math.inf, 0)
    for skeleton in SKELETONS.values():
        have = set(skeleton.joint_names) & set(places)
        made = sum(bool(sources) and set(sources) <= have for sources in mapping_table(skeleton).values())
        score = (made, len(have) - skeleton.num_joints, len(have))
        if score > best_score:
            best, best_score = skeleton, score
    if best is None:
        return None
    columns = tuple(places.get(name, -1) for name in best.joint_names)
    kept = sum(column >= 0 for column in columns)
    sentence = source or "told from the names of the joints in the file"
    if kept < len(names):
        sentence += f"; {kept} of {len(names)} joints are used, as {best.name}"
    return BodyLayout(skeleton=best, num_joints=len(names), columns=columns, confidence=confidence, source=sentence)


def stated_layout(path: Path, names: Sequence[object]) -> BodyLayout:
    """The layout of a file that names its joints.

    Raises:
        FormatError: The names are not those of a body.
    """
    texts = [name for name in names if isinstance(name, str)]
    layout = layout_of_names(texts) if len(texts) == len(names) else None
    if layout is None:
        cure = "say which layout it is with skeleton="
        raise fault(path, expected="names of a person's joints", got=shown(list(names)), cure=cure)
    return layout


def layout_of_own_names(path: Path, names: Sequence[str], skeleton: Skeleton | None = None) -> BodyLayout:
    """The layout of joints that people named themselves, as in DeepLabCut and SLEAP.

    Args:
        path: The file, for messages.
        names: What the file calls its joints.
        skeleton: The layout to find them in, if the user says it.

    Raises:
        FormatError: Fewer than `FEWEST_JOINTS` of the names are joints of a person.
    """
    candidates = [tuple(names), normalized_names(names)]
    known = set(SKELETONS["human36m17"].joint_names).union(*(each.joint_names for each in SKELETONS.values()))
    best = max(candidates, key=lambda spelt: len(known & set(joint_names(spelt))))
    layout = layout_of_names(best, confidence=_SURE_OF_NAMES) if skeleton is None else _fitted(best, skeleton)
    if layout is None or sum(column >= 0 for column in layout.columns) < FEWEST_JOINTS:
        found = ", ".join(name for name, joint in zip(names, joint_names(best), strict=True) if joint in known)
        listed = ", ".join(name[:32] for name in names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise fault(
            path,
            expected=f"at least {FEWEST_JOINTS} joints of a person, named such as left_wrist, l_wrist or LWrist",
            got=f"{found or 'none'} among the names {listed}{more}",
            cure="rename the joints in the file, or convert it to a keypoints .npz",
        )
    return layout


def _fitted(names: Sequence[str], skeleton: Skeleton) -> BodyLayout:
    places = {name: place for place, name in reversed(list(enumerate(joint_names(names))))}
    columns = tuple(places.get(name, -1) for name in skeleton.joint_names)
    return BodyLayout(skeleton=skeleton, num_joints=len(names), columns=columns)


def joint_names(names: Sequence[str]) -> list[str]:
    """The library's names of joints, or something else for joints that it does not know."""
    found = [_joint_name(name) for name in names]
    known = set(found)
    # A bare "head" is the top of it in Human3.6M's and in Halpe's list, its middle elsewhere.
    is_top = "head_top" not in known and (known >= {"thorax", "neck_nose"} or known >= {"neck", "mid_hip"})
    aliases = {"head": "head_top"} if is_top else {}
    for side in ("l_", "r_"):
        # Human3.6M says foot and means the ankle.
        if side + "ankle" not in known:
            aliases[side + "foot"] = side + "ankle"
    return [aliases.get(name, name) for name in found]


def _joint_name(name: str) -> str:
    if (known := spellings().get(bare_name(name[:64]))) is not None:
        return known
    words = [word.lower() for word in _WORDS.findall(name[:64])]
    if len(words) == 1 and words[0][:1] in _SIDES and words[0][1:] in _PARTS:
        words = [words[0][:1], words[0][1:]]
    sides = [word for word in words if word in _SIDES]
    if len(sides) != 1:
        joined = "_".join(words)
        return _SYNONYMS.get(joined, joined)
    words.remove(sides[0])
    joined = "_".join(words)
    part = joined if joined == "hip" else _SYNONYMS.get(joined, joined)
    return f"{_SIDES[sides[0]]}_{part}"
