"""What other skeletons and marker sets call the joints of Human3.6M-17.

A recipe is a tuple of names whose mean is the joint. Names are compared as `normalized_names` has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pose_mdn.skeletons import HUMAN36M17

Recipe = tuple[str, ...]

_LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


@dataclass(frozen=True, kw_only=True)
class Naming:
    """One way to call joints.

    Attributes:
        name: What it is called in messages.
        recipes: Joint of Human3.6M-17 -> recipes in order of preference, of normalised names.
        needs: Names without which this naming is not meant, although its recipes might fit.
    """

    name: str
    recipes: Mapping[str, tuple[Recipe, ...]]
    needs: tuple[str, ...] = ()


def _naming(
    name: str,
    limbs: Mapping[str, str | tuple[str, ...]],
    trunk: Mapping[str, tuple[str, ...]],
    *,
    sides: tuple[str, str] = ("left", "right"),
    needs: tuple[str, ...] = (),
) -> Naming:
    """A naming whose limbs follow a pattern with `{}` for the side; `+` joins the names of a mean.

    The pelvis is always the middle of the hips, as in Human3.6M: rigs have their roots anywhere between there and the
    navel.
    """
    recipes: dict[str, tuple[Recipe, ...]] = {joint: _recipes(texts) for joint, texts in trunk.items()}
    for limb in _LIMBS:
        given = limbs[limb]
        patterns = (given,) if isinstance(given, str) else given
        for side, word in zip("lr", sides, strict=True):
            recipes[f"{side}_{limb}"] = _recipes([pattern.replace("{}", word) for pattern in patterns])
    pairs = zip(recipes["l_hip"], recipes["r_hip"], strict=True)
    recipes["pelvis"] = tuple((*left, *right) for left, right in pairs)
    return Naming(name=name, recipes=recipes, needs=needs)


def _recipes(texts: Sequence[str]) -> tuple[Recipe, ...]:
    return tuple(tuple(text.split("+")) for text in texts)


_NECK_AND_HEAD = {
    "thorax": ("neck",),
    "neck_nose": ("head",),
    "head_top": ("headtopend", "headtop", "headend", "headnub"),
}
_MARKED_TRUNK = {
    "spine": ("t10+strn",),
    "thorax": ("c7+clav",),
    "neck_nose": ("c7+clav+lfhd+rfhd",),
    "head_top": ("lfhd+rfhd+lbhd+rbhd",),
}

NAMINGS: tuple[Naming, ...] = (
    Naming(name="Human3.6M-17", recipes={joint: ((joint.replace("_", ""),),) for joint in HUMAN36M17.joint_names}),
    _naming(
        "Acclaim (CMU .asf)",
        {
            "hip": "{}hipjointend", "knee": "{}femurend", "ankle": "{}tibiaend",
            "shoulder": "{}clavicleend", "elbow": "{}humerusend", "wrist": "{}radiusend",
        },
        {
            "spine": ("lowerbackend+upperbackend",), "thorax": ("lowerneckend",),
            "neck_nose": ("upperneckend",), "head_top": ("headend",),
        },
        sides=("l", "r"),
    ),
    _naming(
        "Acclaim's bones in BVH",
        {
            "hip": "{}femur", "knee": "{}tibia", "ankle": "{}foot",
            "shoulder": "{}humerus", "elbow": "{}radius", "wrist": ("{}wrist", "{}hand"),
        },
        {"spine": ("upperback+thorax",), "thorax": ("upperneck",), "neck_nose": ("head",), "head_top": ("headend",)},
        sides=("l", "r"),
    ),
    _naming(
        "CMU in BVH (cgspeed)",
        {
            "hip": "{}upleg", "knee": "{}leg", "ankle": "{}foot",
            "shoulder": "{}arm", "elbow": "{}forearm", "wrist": "{}hand",
        },
        {"spine": ("spine",), "thorax": ("neck1",), "neck_nose": ("head",), "head_top": ("headend",)},
        needs=("lowerback", "lhipjoint"),
    ),
    _naming(
        "Mixamo and MotionBuilder",
        {
            "hip": "{}upleg", "knee": "{}leg", "ankle": "{}foot",
            "shoulder": "{}arm", "elbow": "{}forearm", "wrist": "{}hand",
        },
        {"spine": ("spine1", "spine"), **_NECK_AND_HEAD},
    ),
    _naming(
        "Rokoko",
        {
            "hip": "{}thigh", "knee": "{}shin", "ankle": "{}foot",
            "shoulder": "{}arm", "elbow": "{}forearm", "wrist": "{}hand",
        },
        {"spine": ("spine2", "spine1", "spine"), **_NECK_AND_HEAD},
    ),
    _naming(
        "Biovision and Xsens",
        {limb: "{}" + limb for limb in _LIMBS},
        {"spine": ("chest2", "chest", "spine2", "spine1", "spine", "torso"), **_NECK_AND_HEAD},
    ),
    _naming(
        "SMPL",
        {limb: "{}" + limb for limb in _LIMBS},
        {"spine": ("spine2", "spine1", "spine"), **_NECK_AND_HEAD},
        sides=("l", "r"),
    ),
    _naming(
        "3ds Max Biped",
        {
            "hip": "{}thigh", "knee": "{}calf", "ankle": "{}foot",
            "shoulder": "{}upperarm", "elbow": "{}forearm", "wrist": "{}hand",
        },
        {"spine": ("spine1", "spine"), **_NECK_AND_HEAD},
        sides=("l", "r"),
    ),
    _naming(
        "Unreal",
        {
            "hip": "thigh{}", "knee": "calf{}", "ankle": "foot{}",
            "shoulder": "upperarm{}", "elbow": "lowerarm{}", "wrist": "hand{}",
        },
        {"spine": ("spine02",), "thorax": ("neck01", "neck"), "neck_nose": ("head",), "head_top": ("headend",)},
        sides=("l", "r"),
    ),
    _naming(
        "Blender",
        {
            "hip": "thigh{}", "knee": "shin{}", "ankle": "foot{}",
            "shoulder": "upperarm{}", "elbow": "forearm{}", "wrist": "hand{}",
        },
        {"spine": ("spine001", "spine1", "spine"), **_NECK_AND_HEAD},
        sides=("l", "r"),
    ),
    _naming(
        "markers of Plug-in Gait and CMU",
        {
            "hip": ("{}hjc", "{}hipcentre"),
            "knee": ("{}kjc", "{}kne+{}mkne", "{}kne+{}knm", "{}kne"),
            "ankle": ("{}ajc", "{}ank+{}mank", "{}ank+{}ankm", "{}ank"),
            "shoulder": ("{}sjc", "{}sho"),
            "elbow": ("{}ejc", "{}elb+{}melb", "{}elb+{}elbm", "{}elb"),
            "wrist": ("{}wjc", "{}wra+{}wrb", "{}iwr+{}owr", "{}wri"),
        },
        _MARKED_TRUNK,
        sides=("l", "r"),
    ),
)  # fmt: skip
"""Tried in order; the first one that has all joints is taken."""
