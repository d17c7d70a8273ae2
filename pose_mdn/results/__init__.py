"""From a distribution over poses to what other tools open: which pose stands for it, and writing it down."""

from pose_mdn.formats.results.registry import result_formats
from pose_mdn.results.choice import choose_poses
from pose_mdn.results.writing import write_result

__all__ = ["choose_poses", "result_formats", "write_result"]
