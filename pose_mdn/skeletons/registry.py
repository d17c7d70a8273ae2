"""Skeletons by name."""

import difflib

from pose_mdn.errors import UnknownSkeletonError
from pose_mdn.skeletons.blazepose import BLAZEPOSE33
from pose_mdn.skeletons.coco import COCO17, HALPE26
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.skeletons.mpii import MPII16
from pose_mdn.skeletons.openpose import BODY25, BODY25B
from pose_mdn.skeletons.skeleton import Skeleton

SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton for skeleton in (HUMAN36M17, COCO17, BODY25, BODY25B, HALPE26, BLAZEPOSE33, MPII16)
}
"""Every layout that keypoints may come in, by registry name."""


def get_skeleton(name: str) -> Skeleton:
    """The skeleton of that registry name.

    Raises:
        UnknownSkeletonError: No skeleton has this name; the message suggests the nearest one.
    """
    if name in SKELETONS:
        return SKELETONS[name]
    simplified = "".join(letter for letter in name[:64].lower() if letter.isalnum())
    nearest = difflib.get_close_matches(simplified, SKELETONS, n=1, cutoff=0.5)
    cure = f"did you mean {nearest[0]!r}?" if nearest else "use one of these names"
    shown = name if len(name) <= 64 else name[:64] + "..."
    raise UnknownSkeletonError(
        f"skeleton: expected one of {', '.join(SKELETONS)}, got {shown!r}; {cure}", field="skeleton"
    )
