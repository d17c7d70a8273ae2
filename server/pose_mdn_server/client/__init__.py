"""Clients with numpy arrays in and out: blocking ones, safe to use from several threads, and ones for asyncio."""

from pose_mdn_server.client.async_clients import AsyncModelClient, AsyncPoseGenerationClient, AsyncPoseLiftingClient
from pose_mdn_server.client.async_connection import AsyncConnection
from pose_mdn_server.client.clients import ModelClient, PoseGenerationClient, PoseLiftingClient
from pose_mdn_server.client.connection import Connection
from pose_mdn_server.client.options import ConnectionOptions
from pose_mdn_server.codec.model_description import ModelDescription

__all__ = [
    "AsyncConnection",
    "AsyncModelClient",
    "AsyncPoseGenerationClient",
    "AsyncPoseLiftingClient",
    "Connection",
    "ConnectionOptions",
    "ModelClient",
    "ModelDescription",
    "PoseGenerationClient",
    "PoseLiftingClient",
]
