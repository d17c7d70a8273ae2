"""What a body is."""

from pose_mdn.skeletons.blazepose import BLAZEPOSE33
from pose_mdn.skeletons.coco import COCO17, HALPE26
from pose_mdn.skeletons.human36m import HUMAN36M17
from pose_mdn.skeletons.mapping import (
    DEFAULT_MAPPING,
    MAPPINGS,
    MappingName,
    mapping_matrix,
    mapping_table,
    to_human36m17,
)
from pose_mdn.skeletons.mpii import MPII16
from pose_mdn.skeletons.openpose import BODY25, BODY25B
from pose_mdn.skeletons.registry import SKELETONS, get_skeleton
from pose_mdn.skeletons.skeleton import Skeleton

__all__ = [
    "BLAZEPOSE33",
    "BODY25",
    "BODY25B",
    "COCO17",
    "DEFAULT_MAPPING",
    "HALPE26",
    "HUMAN36M17",
    "MAPPINGS",
    "MPII16",
    "SKELETONS",
    "MappingName",
    "Skeleton",
    "get_skeleton",
    "mapping_matrix",
    "mapping_table",
    "to_human36m17",
]
