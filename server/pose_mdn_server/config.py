"""Settings of a server."""

import re
from dataclasses import dataclass
from pathlib import Path

from pose_mdn.config.ranges import require


@dataclass(frozen=True, kw_only=True)
class ServerConfig:
    """Everything that determines how a server listens, what it serves, whom, and how it stops."""

    host: str = "127.0.0.1"
    """Address to listen on; "0.0.0.0" for every network of this machine."""
    port: int = 8001
    """TCP port of gRPC; 0 takes any free one."""
    http_host: str = "127.0.0.1"
    """Address of metrics, probes and browsers' calls."""
    http_port: int | None = 8002
    """TCP port of metrics, probes and browsers' calls; 0 takes any free one, none leaves them out."""
    http_allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may call from a browser, "https://HOST" or "http://HOST:PORT", compared exactly; none by
    default."""
    http_allowed_hosts: tuple[str, ...] = ()
    """Names besides its addresses, `localhost` and those of its certificate under which the HTTP port may be asked;
    others are refused, because a page could point a name of its own at this machine."""
    transport: str = "auto"
    """How calls come in: "completion-queue" is fast, "threads" uses gRPC's public interface alone; "auto" is the first
    where the installed grpcio has what it needs."""

    repository: Path | None = None
    """Folder of model bundles, `NAME/VERSION/`; the bundled models if absent."""
    repository_poll_s: float = 0.0
    """How often to look for changed bundles; 0 for only when told to (SIGHUP, or a load over the network)."""
    default_model: str = "mdn_lifter"
    """Lifter that answers requests which name none."""
    workers: int = 0
    """Processes that answer on the one port; 0 for one on each core."""
    inference_threads: int = 1
    """Processor threads of a worker for each run of a model."""
    max_batch: int = 256
    """Poses in one run of a model; longer calls are cut into slices, between which short ones get through."""
    max_queued_poses: int = 32_768
    """Poses that may wait in a worker; a call that would make them more is refused."""
    bulk_poses: int = 64
    """A call that brings more poses than this waits behind those that bring fewer."""

    call_threads: int = 4
    """Long calls (fusion, reprojection, samples, smoothing) that a worker answers at the same time."""
    max_streams: int = 256
    """Streams that a worker serves at the same time."""
    stream_window: int = 8
    """Messages of a stream that are read before their answers are taken."""
    max_poses_per_call: int = 4096
    """Poses in one call; a client sends longer recordings in several calls."""
    max_message_bytes: int = 64 * 1024 * 1024
    """Longest request and longest response, unpacked."""
    max_metadata_bytes: int = 16 * 1024
    """Longest metadata of a call."""
    max_connection_age_s: float = 0.0
    """After so long a client is told to connect anew, which spreads clients over workers; 0 for never."""
    max_connection_idle_s: float = 600.0
    """A connection without calls is closed after so long; 0 for never."""

    tls_certificate: Path | None = None
    """Certificate chain of the server, PEM; read again when the file changes."""
    tls_key: Path | None = None
    """Private key of that certificate, PEM."""
    tls_client_ca: Path | None = None
    """Certificates that sign clients' certificates, PEM; if given, a client without one is refused."""
    tokens: Path | None = None
    """File of those who may call; read again when it changes. If given, calls without a token of it are refused."""
    allow_insecure_public: bool = False
    """Whether an address of an open network may be bound without encryption or without tokens; counts only with
    the variable `POSE_MDN_ALLOW_INSECURE_PUBLIC=1` beside it, which by itself sets nothing."""
    reflection: bool = True
    """Whether to tell callers which services there are."""
    model_listing: bool = True
    """Whether to tell callers which models there are."""
    model_control: bool = False
    """Whether callers who administer may load and unload models."""
    calls_per_s: float = 0.0
    """Quota of calls of each client that has none of its own; 0 for no limit."""
    poses_per_s: float = 0.0
    """Quota of poses of each client that has none of its own; 0 for no limit."""

    access_log: bool = False
    """One line for each call; never keypoints, never tokens."""
    log_format: str = "text"
    """"text" for people, "json" for machines."""
    traces: str = ""
    """Where OpenTelemetry traces go, "http://HOST:4318/v1/traces"; empty for nowhere."""
    drain_s: float = 20.0
    """Time that calls under way get to finish when the server is told to stop."""

    def __post_init__(self) -> None:
        for name, lowest in _LOWEST.items():
            value = getattr(self, name)
            require(value >= lowest, name, f">= {lowest}", value)
        for name in ("port", "http_port"):
            port = getattr(self, name)
            require(port is None or 0 <= port <= 65535, name, "from 0 to 65535", port)
        for origin in self.http_allowed_origins:
            require(
                _ORIGIN.fullmatch(origin) is not None,
                "http_allowed_origins",
                "SCHEME://HOST or SCHEME://HOST:PORT",
                origin,
            )
        for name in self.http_allowed_hosts:
            require(_HOST_NAME.fullmatch(name) is not None, "http_allowed_hosts", "names without ports", name)
        require(self.transport in TRANSPORTS, "transport", f"one of {', '.join(TRANSPORTS)}", self.transport)
        require(self.log_format in LOG_FORMATS, "log_format", f"one of {', '.join(LOG_FORMATS)}", self.log_format)
        require(
            (self.tls_certificate is None) == (self.tls_key is None),
            "tls_key",
            "certificate and key, or neither",
            f"certificate {self.tls_certificate}, key {self.tls_key}",
        )


_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")

TRANSPORTS = ("auto", "completion-queue", "threads")
LOG_FORMATS = ("text", "json")

_LOWEST = {
    "workers": 0,
    "repository_poll_s": 0,
    "inference_threads": 1,
    "max_batch": 1,
    "max_queued_poses": 1,
    "bulk_poses": 1,
    "call_threads": 1,
    "max_streams": 0,
    "stream_window": 1,
    "max_poses_per_call": 1,
    "max_message_bytes": 1024,
    "max_metadata_bytes": 1024,
    "max_connection_age_s": 0,
    "max_connection_idle_s": 0,
    "calls_per_s": 0,
    "poses_per_s": 0,
    "drain_s": 0,
}
