"""How names of joints are spelt: what differs between tools without a difference in meaning.

Names are compared without case, punctuation, namespaces ("Subject:LASI") and the prefixes that exporters add
("mixamorig", "Bip01").
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product

_SIDED = {
    "eye_inner": ("eyeinner", "innereye"),
    "eye": ("eye",),
    "eye_outer": ("eyeouter", "outereye"),
    "ear": ("ear",),
    "mouth": ("mouth", "mouthcorner"),
    "shoulder": ("shoulder", "sho", "shldr"),
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
    "upper_neck": ("upperneck", "headbottom"),
    "neck_nose": ("neckbase",),
    "thorax": ("thorax", "chest"),
    "spine": ("spine", "torso"),
    "head_top": ("headtop", "tophead", "topofhead", "vertex"),
    "pelvis": ("pelvis", "root"),
    "mid_hip": ("midhip", "hipmid", "hip", "hips", "hipcenter", "hipcentre"),
}
_SIDES = {"l_": ("left", "l"), "r_": ("right", "r")}
_PREFIX = re.compile(r"^(mixamorig\d*|bip0*\d+|character\d+)(?=.)")


def bare_name(name: str) -> str:
    """Lower case letters and digits of a name, without its namespace."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())


@cache
def spellings() -> Mapping[str, str]:
    """Bare name -> joint as the layouts of this library call it, for every spelling of the joints of people.

    Sides stand before or after the part, as a word or as a letter.
    """
    known = {bare_name(name): joint for joint, names in _MIDLINE.items() for name in (joint, *names)}
    for (prefix, sides), (part, names) in product(_SIDES.items(), _SIDED.items()):
        for side, name in product(sides, names):
            known[side + name] = known[name + side] = prefix + part
    return known


def normalized_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as the tables have them: lower case letters and digits, without namespace and common prefix."""
    bare = [bare_name(name) for name in names]
    shared = _shared_beginning(bare) if len(bare) > 3 else ""
    # A root may be called by the prefix alone, "Bip01".
    bare = [name[len(shared) :] or name for name in bare]
    return tuple(_PREFIX.sub("", name) for name in bare)


def _shared_beginning(words: Sequence[str]) -> str:
    first, last = min(words), max(words)
    differ = (place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(differ, len(first))]
