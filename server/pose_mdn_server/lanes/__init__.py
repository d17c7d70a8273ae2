"""What the batcher merges: rows of keypoints for one lifter, rows of tensors for one graph."""

from pose_mdn_server.lanes.graph import GraphLane
from pose_mdn_server.lanes.lift import LiftLane

__all__ = ["GraphLane", "LiftLane"]
