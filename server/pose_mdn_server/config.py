"""Settings of a server."""

from dataclasses import dataclass
from pathlib import Path

from pose_mdn.config.ranges import require


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Everything that determines how a server listens, what it serves and how it stops."""

    host: str = "127.0.0.1"
    """Address to listen on; "0.0.0.0" for every network of this machine. There is no encryption yet."""
    port: int = 8001
    """TCP port; 0 takes any free one."""
    repository: Path | None = None
    """Folder of model bundles, `NAME/VERSION/`; the bundled models if absent."""
    default_model: str = "mdn_lifter"
    """Lifter that answers requests which name none."""
    request_threads: int = 8
    """Calls that are worked on at the same time; others wait their turn."""
    max_streams: int = 16
    """Streams that are served at the same time, beside these calls."""
    inference_threads: int = 1
    """Processor threads for each run of a model."""
    max_message_bytes: int = 64 * 1024 * 1024
    """Longest request and longest response."""
    max_poses_per_call: int = 4096
    """Poses in one call; a client sends longer recordings in several calls."""
    drain_s: float = 20.0
    """Time that calls under way get to finish when the server is told to stop."""

    def __post_init__(self) -> None:
        require(0 <= self.port <= 65535, "port", "from 0 to 65535", self.port)
        require(self.request_threads >= 1, "request_threads", ">= 1", self.request_threads)
        require(self.max_streams >= 0, "max_streams", ">= 0", self.max_streams)
        require(self.inference_threads >= 1, "inference_threads", ">= 1", self.inference_threads)
        require(self.max_message_bytes >= 1024, "max_message_bytes", ">= 1024", self.max_message_bytes)
        require(self.max_poses_per_call >= 1, "max_poses_per_call", ">= 1", self.max_poses_per_call)
        require(self.drain_s >= 0, "drain_s", ">= 0", self.drain_s)
