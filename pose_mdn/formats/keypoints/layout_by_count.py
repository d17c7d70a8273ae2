"""Which layout people are in whose joints a file does not name: told from their number, and by how people look."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.faults import fault
from pose_mdn.formats.keypoints.named_joints import BodyLayout, layout_of_names
from pose_mdn.formats.keypoints.openpose_layout import confidence_of_first, tell_body25_from_body25b
from pose_mdn.skeletons import (
    BLAZEPOSE33,
    BODY25,
    BODY25B,
    COCO17,
    HALPE26,
    HUMAN36M17,
    MPII16,
    Skeleton,
)

_OPENPOSE_COCO = (
    *("nose", "neck", "r_shoulder", "r_elbow", "r_wrist", "l_shoulder", "l_elbow", "l_wrist", "r_hip", "r_knee"),
    *("r_ankle", "l_hip", "l_knee", "l_ankle", "r_eye", "l_eye", "r_ear", "l_ear"),
)
"""The 18 joints of OpenPose's COCO model, in which AlphaPose's formats "cmu" and "open" are written too."""

_DOUBTFUL = 0.1
"""Below this, people of 17 joints look so much like Human3.6M's that it is said."""

_WHOLE: Mapping[int, tuple[Skeleton, float]] = {
    16: (MPII16, 0.9),
    17: (COCO17, 0.95),
    26: (HALPE26, 0.95),
    33: (BLAZEPOSE33, 0.95),
}
_LARGER: Mapping[int, tuple[str, tuple[str, ...], float]] = {
    18: ("the 18 joints of OpenPose's COCO model", _OPENPOSE_COCO, 0.9),
    133: ("COCO-WholeBody's 133 joints", COCO17.joint_names, 0.97),
    134: ("COCO-WholeBody's joints in OpenPose's order", _OPENPOSE_COCO, 0.9),
    135: ("OpenPose's BODY_135", BODY25B.joint_names, 0.95),
    136: ("Halpe's 136 joints", HALPE26.joint_names, 0.97),
    137: ("OpenPose's body, face and hands, 137 joints", BODY25.joint_names, 0.9),
}
"""Number of joints -> what has it, the names of its first joints, and how sure the number is.

MMPose 1.3, `configs/_base_/datasets/{coco_wholebody,coco_wholebody_openpose,halpe}.py`; pose-format 0.15,
`utils/openpose_135.py`. 14 joints are CrowdPose's or AI Challenger's, 19 and 21 several things, so they need names.
"""

_PEOPLE_LOOKED_AT = 64
"""So many tell COCO's 17 joints from Human3.6M's, which differ in most of them."""


def layout_of_count(path: Path, joints: NDArray[np.float32], count: int) -> BodyLayout:
    """The layout of people with so many joints.

    Args:
        path: The file, for the message.
        joints: (P, J, 3) x px, y px, confidence of some of them; NaN coordinates where missing.
        count: J.

    Raises:
        FormatError: No layout has this number of joints.
    """
    if count in _LARGER:
        return _larger(count)
    source = f"told from the number of joints, {count}"
    if count == BODY25.num_joints:
        skeleton, confidence = tell_body25_from_body25b(joints)
        source += ", and from how the people look"
    elif count in _WHOLE:
        skeleton, confidence = _WHOLE[count]
    else:
        names = {number: skeleton.name for number, (skeleton, _) in _WHOLE.items()} | {25: "body25"}
        known = ", ".join(f"{number} ({name})" for number, name in sorted(names.items()))
        more = ", ".join(str(number) for number in _LARGER)
        raise fault(
            path,
            expected=f"a known number of joints: {known}, or {more}",
            got=f"{count}",
            cure="convert it to one of these layouts",
        )
    if skeleton is COCO17:
        looks_so = confidence_of_first(joints[:_PEOPLE_LOOKED_AT], (COCO17, HUMAN36M17))
        if looks_so < _DOUBTFUL:
            confidence *= looks_so
            source += f", though the people look more like {HUMAN36M17.name}"
    return BodyLayout.whole(skeleton, confidence=round(confidence, 3), source=source)


def has_body_of(count: int, skeleton: Skeleton) -> BodyLayout | None:
    """The layout of so many joints whose body is this skeleton, if there is one."""
    if count in _LARGER and _larger(count).skeleton is skeleton:
        return _larger(count)
    return None


@cache
def _larger(count: int) -> BodyLayout:
    described, names, confidence = _LARGER[count]
    rest = tuple(f"other-{place}" for place in range(len(names), count))
    layout = layout_of_names((*names, *rest), confidence=confidence, source=f"told from their number as {described}")
    assert layout is not None
    return layout
