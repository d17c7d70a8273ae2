"""A server's life: build, start, load models, serve, drain, stop."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType

from pose_mdn.errors import ConfigError
from pose_mdn_server.batching import Batcher, BatcherSettings
from pose_mdn_server.calls import ANYONE, Call, Method
from pose_mdn_server.calls.dispatcher import Dispatcher
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.health import HealthState
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.servicers import (
    health,
    model,
    open_inference,
    pose_fusion,
    pose_generation,
    pose_lifting,
    reflection,
    reprojection,
)
from pose_mdn_server.transport import open_transport

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


class Open:
    def admit(self, path, metadata, peer, identity):
        return ANYONE

    def batch_ran(self, *a):
        pass


class PoseServer:
    """One gRPC server in this process. As a context manager it serves inside the `with` block."""

    def __init__(self, config: ServerConfig, *, shares_port: bool = False) -> None:
        """Build; nothing is bound or loaded yet.

        Args:
            config: All settings.
            shares_port: Whether other processes serve on the same port.
        """
        self.config = config
        self.models = ModelStore(
            repository=config.repository, default_model=config.default_model, threads=config.inference_threads
        )
        self.port = 0
        self.health = HealthState(SERVICE_NAMES)
        self._batcher = Batcher(
            BatcherSettings(
                max_batch=config.max_batch, max_queued=config.max_queued_poses, bulk_rows=config.bulk_poses
            ),
            observer=Open(),
        )
        self._dispatcher = Dispatcher(gate=Open(), threads=config.call_threads, max_streams=config.max_streams)
        self._dispatcher.offer(self._methods())
        self._transport = open_transport(
            config.transport,
            self._dispatcher,
            self._batcher,
            options=(
                ("grpc.max_receive_message_length", config.max_message_bytes),
                ("grpc.max_send_message_length", config.max_message_bytes),
                # Without this a second server could take half of the calls of a port without a word.
                ("grpc.so_reuseport", int(shares_port)),
            ),
            stream_window=config.stream_window,
            threads=config.call_threads + config.max_streams + 8,
        )

    @property
    def address(self) -> str:
        """HOST:PORT that clients connect to, once started."""
        return join_address(self.config.host, self.port)

    def start(self) -> None:
        """Bind, answer health checks, load and warm up the models, then serve.

        Raises:
            ConfigError: The address cannot be bound.
            PoseMDNError: A model cannot be loaded; the server is stopped again.
        """
        self.port = self._bind()
        self._transport.start()
        try:
            self.models.load()
        except BaseException:
            self._transport.stop(0)
            raise
        self.health.set_models((model.name, model.version) for model in self.models.all())
        self.health.set_serving(True)
        _LOG.info("serving on %s", self.address)

    def drain(self) -> bool:
        """Refuse new calls, let those under way finish within `drain_s`, then stop. True if all of them finished."""
        self.health.set_serving(False)
        # Calls that reach a gRPC server as it stops are lost without an answer, so it goes on for a moment.
        time.sleep(_NOTICE_S)
        self.health.end()
        finished = self._transport.stop(max(self.config.drain_s, _NOTICE_S))
        _LOG.info("stopped, %s", "every call was finished" if finished else "calls under way were cancelled")
        return finished

    def __enter__(self) -> "PoseServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drain()

    def _methods(self) -> list[Method]:
        limit = self.config.max_poses_per_call
        run_long = self._dispatcher.run_long
        services = (
            pose_lifting.PoseLiftingService(self.models, self._batcher, run_long=run_long, max_poses=limit),
            reprojection.ReprojectionService(max_poses=limit),
            pose_fusion.PoseFusionService(max_poses=limit),
            pose_generation.PoseGenerationService(self.models, max_poses=limit),
            model.ModelService(self.models),
            open_inference.OpenInferenceService(
                self.models, is_serving=lambda: self.health.is_serving, max_poses=limit
            ),
            health.HealthService(self.health),
            reflection.ReflectionService((*SERVICE_NAMES, health.SERVICE_NAME)),
        )
        return [method for service in services for method in service.methods()]

    def _bind(self) -> int:
        wanted = join_address(self.config.host, self.config.port)
        port = self._transport.bind(wanted, None)
        if port == 0:
            raise ConfigError(
                f"port: expected an address that can be bound, got {wanted}, which is taken or not of this machine; "
                "choose another with --port, or any free one with --port 0"
            )
        return port


def join_address(host: str, port: int) -> str:
    """HOST:PORT; with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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
