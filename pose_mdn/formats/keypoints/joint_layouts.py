"""Joints that a file calls by names of its own, recognised as the joints of a known layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault
from pose_mdn.formats.joint_spelling import bare_name, normalized_names
from pose_mdn.skeletons import SKELETONS, Skeleton, mapping_table

MIN_JOINTS = 6
"""Fewer joints than this are no body; a lifter asks for as many."""

_SURE_OF_ALL, _SURE_OF_SOME = 0.95, 0.9
"""That joints are what they are called, if the names are all of a layout's, or some."""
_SHOWN = 24

_SIDED = {
    "eye_inner": ("eyeinner", "innereye"),
    "eye": ("eye",),
    "eye_outer": ("eyeouter", "outereye"),
    "ear": ("ear",),
    "mouth": ("mouth", "mouthcorner"),
    "shoulder": ("shoulder", "sho", "shldr", "shoul"),
    "elbow": ("elbow", "elb"),
    "wrist": ("wrist", "wri", "wrst"),
    "pinky": ("pinky", "pinkie"),
    "index": ("index", "indexfinger"),
    "thumb": ("thumb",),
    "hip": ("hip",),
    "knee": ("knee", "kne"),
    "ankle": ("ankle", "ank", "ankl"),
    "heel": ("heel",),
    "big_toe": ("bigtoe", "toebig"),
    "small_toe": ("smalltoe", "littletoe", "toesmall"),
    "foot_index": ("footindex",),
}
"""Part of the body -> its spellings, without the side; the first letters of an entry are those that tools cut to."""

_MIDLINE = {
    "nose": ("nose",),
    "neck": ("neck", "midshoulder", "shouldercenter", "shouldercentre"),
    "upper_neck": ("upperneck",),
    "neck_nose": ("neckbase",),
    "thorax": ("thorax", "chest"),
    "spine": ("spine", "torso"),
    "head_top": ("headtop", "tophead", "topofhead", "head", "vertex"),
    "pelvis": ("pelvis", "root", "midhip", "hipmid", "hip", "hips", "hipcenter", "hipcentre", "midpelvis"),
}
_ALIASES = {"mid_hip": "pelvis"}
"""Names of one place in different layouts."""
_SIDES = {"l_": ("left", "l"), "r_": ("right", "r")}


@dataclass(frozen=True, kw_only=True)
class NamedLayout:
    """The layout that names were recognised as.

    Attributes:
        skeleton: The layout.
        sources: For each of its joints the index of the name that means it, -1 if there is none.
        confidence: How sure that is; 1 if the user says it.
    """

    skeleton: Skeleton
    sources: tuple[int, ...]
    confidence: float

    def arrange(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, K, ...) values by name as (N, J, ...) values by joint; NaN where no name means the joint."""
        missing = np.full((len(values), 1, *values.shape[2:]), np.nan, np.float32)
        return np.concatenate([values, missing], axis=1)[:, list(self.sources)]


@cache
def spellings() -> Mapping[str, str]:
    """Bare name -> joint, for every spelling: sides before or after the part, whole or as a letter."""
    known = {bare_name(name): joint for joint, names in _MIDLINE.items() for name in (joint, *names)}
    for (prefix, sides), (part, names) in product(_SIDES.items(), _SIDED.items()):
        for side, name in product(sides, names):
            known[side + name] = known[name + side] = prefix + part
    return known


def find_layout(path: Path, names: Sequence[str], skeleton: Skeleton | None = None) -> NamedLayout:
    """The layout that suits the joints named.

    What counts first is how many joints of the lifter's skeleton can be made, then how many joints of the layout are
    named, less those that are not.

    Args:
        path: The file, for messages.
        names: What the file calls its joints.
        skeleton: The layout, if it is known.

    Raises:
        FormatError: Fewer than `MIN_JOINTS` of the names are joints of any layout, or of the one that is known.
    """
    joints = _recognised(names)
    best = best_layout(names, skeleton)
    if best is None:
        found = ", ".join(name for name, joint in zip(names, joints, strict=True) if joint) or "none"
        layout = skeleton.name if skeleton else "a known layout"
        raise fault(
            path,
            expected=f"at least {MIN_JOINTS} joints of {layout}, named such as left_wrist, l_wrist or LWrist",
            got=f"{found} among the names {_listed(names)}",
            cure="rename the joints in the file, or convert it to a keypoints .npz",
        )
    if skeleton is not None:
        return NamedLayout(skeleton=best.skeleton, sources=best.sources, confidence=1.0)
    return best


def best_layout(names: Sequence[str], skeleton: Skeleton | None = None) -> NamedLayout | None:
    """The same, or `None` if too few names are known."""
    joints = _recognised(names)
    candidates = [_fit(layout, joints) for layout in ([skeleton] if skeleton else SKELETONS.values())]
    best = max(candidates, key=_suitability)
    return best if _found(best) >= MIN_JOINTS else None


def _suitability(layout: NamedLayout) -> tuple[int, int]:
    have = {name for name, source in zip(layout.skeleton.joint_names, layout.sources, strict=True) if source >= 0}
    made = sum(bool(sources) and set(sources) <= have for sources in mapping_table(layout.skeleton).values())
    return made, 2 * len(have) - layout.skeleton.num_joints


def _recognised(names: Sequence[str]) -> list[str | None]:
    """The joint that each name means; the first one if several mean the same."""
    known = spellings()
    plain = [known.get(bare_name(name)) for name in names]
    without_prefix = [known.get(name) for name in normalized_names(names)]
    joints = max(plain, without_prefix, key=lambda found: sum(joint is not None for joint in found))
    return [joint if joint not in joints[:place] else None for place, joint in enumerate(joints)]


def _fit(skeleton: Skeleton, joints: Sequence[str | None]) -> NamedLayout:
    place = {joint: index for index, joint in enumerate(joints)}
    sources = [place.get(_ALIASES.get(name, name), -1) for name in skeleton.joint_names]
    sure = _SURE_OF_SOME if -1 in sources else _SURE_OF_ALL
    return NamedLayout(skeleton=skeleton, sources=tuple(sources), confidence=sure)


def _found(layout: NamedLayout) -> int:
    return sum(source >= 0 for source in layout.sources)


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:32] for name in names[:_SHOWN]) + rest
