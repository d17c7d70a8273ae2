"""A server's life: build, start, load models, serve, drain, stop."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType, TracebackType

import grpc

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.health import Health
from pose_mdn_server.interceptors import CallInterceptor
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.servicers import (
    model,
    open_inference,
    pose_fusion,
    pose_generation,
    pose_lifting,
    reprojection,
)

_LOG = logging.getLogger(__name__)

_NOTICE_S = 0.2
"""Time for those who watch the health to send their calls elsewhere, before new ones are refused."""

SERVICE_NAMES = (
    pose_lifting.SERVICE_NAME,
    reprojection.SERVICE_NAME,
    pose_fusion.SERVICE_NAME,
    pose_generation.SERVICE_NAME,
    model.SERVICE_NAME,
    open_inference.SERVICE_NAME,
)
"""Full names of our services, for health and reflection."""


class PoseServer:
    """One gRPC server in this process. As a context manager it serves inside the `with` block."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.models = ModelStore(
            repository=config.repository, default_model=config.default_model, threads=config.inference_threads
        )
        self.port = 0
        self._health = Health(SERVICE_NAMES)
        self._server = self._build()

    @property
    def address(self) -> str:
        """HOST:PORT that clients connect to, once started."""
        return _join(self.config.host, self.port)

    def start(self) -> None:
        """Bind, answer health checks, load and warm up the models, then serve.

        Raises:
            ConfigError: The address cannot be bound.
            PoseMDNError: A model cannot be loaded; the server is stopped again.
        """
        self.port = self._bind()
        self._server.start()
        try:
            self.models.load()
        except BaseException:
            self._server.stop(None).wait()
            raise
        self._health.start_serving()
        _LOG.info("serving on %s", self.address)

    def drain(self) -> bool:
        """Refuse new calls, let those under way finish within `drain_s`, then stop. True if all of them finished."""
        self._health.start_draining()
        # Calls that reach a gRPC server as it stops are lost without an answer, so it goes on for a moment.
        time.sleep(_NOTICE_S)
        stopped = self._server.stop(self.config.drain_s + _NOTICE_S)
        self._health.end_watches()
        finished = stopped.wait(max(self.config.drain_s, _NOTICE_S))
        if not finished:
            self._server.stop(None)
            stopped.wait()
        _LOG.info("stopped, %s", "every call was finished" if finished else "calls under way were cancelled")
        return finished

    def __enter__(self) -> "PoseServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drain()

    def _build(self) -> grpc.Server:
        config = self.config
        server = grpc.server(
            # A stream keeps its thread as long as it lasts, so streams have threads beside those of other calls. One
            # more tells those who come too many that they are.
            ThreadPoolExecutor(config.call_threads + config.max_streams + 1, thread_name_prefix="call"),
            interceptors=[CallInterceptor()],
            options=(
                ("grpc.max_receive_message_length", config.max_message_bytes),
                ("grpc.max_send_message_length", config.max_message_bytes),
                # By default a second server may bind the same port and would take half of the calls without a word.
                ("grpc.so_reuseport", 0),
            ),
        )
        limit = config.max_poses_per_call
        pose_lifting.PoseLiftingServicer(self.models, max_poses=limit, max_streams=config.max_streams).add_to(server)
        reprojection.ReprojectionServicer(max_poses=limit).add_to(server)
        pose_fusion.PoseFusionServicer(max_poses=limit).add_to(server)
        pose_generation.PoseGenerationServicer(self.models, max_poses=limit).add_to(server)
        model.ModelServicer(self.models).add_to(server)
        open_inference.OpenInferenceServicer(
            self.models, is_serving=lambda: self._health.is_serving, max_poses=limit
        ).add_to(server)
        self._health.add_to(server)
        return server

    def _bind(self) -> int:
        wanted = _join(self.config.host, self.config.port)
        try:
            port = self._server.add_insecure_port(wanted)
        except RuntimeError:
            port = 0
        if port == 0:
            raise ConfigError(
                f"port: expected an address that can be bound, got {wanted}, which is taken or not of this machine; "
                "choose another with --port, or any free one with --port 0"
            )
        return int(port)


def serve_until_signalled(config: ServerConfig, announce: Callable[[PoseServer], None]) -> bool:
    """Serve until SIGTERM or SIGINT, then drain; a second signal stops at once. True if every call was finished.

    Must be called from the main thread. `announce` is called once the server is ready.
    """
    told_to_stop = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        told_to_stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server = PoseServer(config)
    server.start()
    announce(server)
    told_to_stop.wait()
    return server.drain()


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
