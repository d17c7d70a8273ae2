"""Merging what waits for the same model: many calls, one run."""

from pose_mdn_server.batching.batcher import Batcher, BatcherSettings
from pose_mdn_server.batching.lane import Columns, Lane

__all__ = ["Batcher", "BatcherSettings", "Columns", "Lane"]
