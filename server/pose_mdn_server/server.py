"""A server's life: build, start, load models, serve, drain, stop."""

import logging
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from pose_mdn.errors import ConfigError
from pose_mdn_server.addresses import join_address
from pose_mdn_server.batching import Batcher, BatcherSettings
from pose_mdn_server.calls import Method, StreamMethod
from pose_mdn_server.calls.dispatcher import Dispatcher
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.graph_runner import BatchRunner
from pose_mdn_server.health import HealthState
from pose_mdn_server.models.control import ControlledModels, OnControl
from pose_mdn_server.models.model_store import ModelStore
from pose_mdn_server.models.report import ReloadReport
from pose_mdn_server.security.bind_policy import require_safe_address
from pose_mdn_server.security.gate import Gate
from pose_mdn_server.security.limits import channel_options
from pose_mdn_server.security.quotas import Quotas
from pose_mdn_server.security.tls import server_credentials
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
from pose_mdn_server.telemetry.metrics import Metrics, Snapshot
from pose_mdn_server.telemetry.observer import TelemetryObserver
from pose_mdn_server.telemetry.traces import open_tracer
from pose_mdn_server.transport import Transport, open_transport

_LOG = logging.getLogger(__name__)

_NOTICE_S = 0.2
"""Time for those who watch the health to send their calls elsewhere, before new ones are refused."""

_SHORT_CALLS = 128
"""Threads for calls that wait for their batch, where each call has a thread."""

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

    def __init__(
        self,
        config: ServerConfig,
        *,
        shared_quotas: Path | None = None,
        worker: str = "0",
        unloaded: Collection[tuple[str, str]] = (),
        on_control: OnControl | None = None,
    ) -> None:
        """Build; nothing is bound or loaded yet.

        Args:
            config: All settings.
            shared_quotas: File of what clients have left, for workers that share it and the port; `None` for a server
                alone.
            worker: Name of this process in metrics.
            unloaded: Models by name and version that callers had unloaded, though the repository holds them.
            on_control: Told when a caller had a model loaded or unloaded.

        Raises:
            ConfigError: A file that the settings name cannot be used, or the address is not safe to listen on.
        """
        require_safe_address(config)
        self.config = config
        self._shares_port = shared_quotas is not None
        self.models = ModelStore(
            repository=config.repository,
            default_model=config.default_model,
            threads=config.inference_threads,
            batch_sizes=_warm_sizes(config.max_batch),
            unloaded=unloaded,
        )
        self.models.watch(self._models_changed)
        self.port = 0
        self.health = HealthState((*SERVICE_NAMES, health.SERVICE_NAME))
        self.metrics = Metrics(worker=worker)
        self._credentials = server_credentials(config)
        self._tracer = open_tracer(config.traces)
        settings = BatcherSettings(
            max_batch=config.max_batch, max_queued=config.max_queued_poses, bulk_rows=config.bulk_poses
        )
        self._batcher = Batcher(settings, observer=self.metrics)
        self._quotas = Quotas(shared_quotas)
        self._controlled_models = ControlledModels(self.models, on_control or _nobody)
        self._dispatcher = Dispatcher(
            gate=Gate(config, self._quotas),
            quotas=self._quotas,
            observers=[TelemetryObserver(self.metrics, tracer=self._tracer, access_log=config.access_log)],
            threads=config.call_threads,
            max_streams=config.max_streams,
        )
        self._lifting = pose_lifting.PoseLiftingService(
            self.models, self._batcher, run_long=self._dispatcher.run_long, max_poses=config.max_poses_per_call
        )
        self._offer(self._methods())
        self._transport = self._open_transport()

    @property
    def address(self) -> str:
        """HOST:PORT that clients connect to, once started."""
        return join_address(self.config.host, self.port)

    def start(self) -> None:
        """Bind, load and warm up the models, then serve.

        A server that is alone on its port answers health checks meanwhile. One that shares it listens only once it can
        serve: until then, others do.

        Raises:
            ConfigError: The address cannot be bound.
            PoseMDNError: A model cannot be loaded; the server is stopped again.
        """
        if self._shares_port:
            self.models.load()
        self.port = self._bind()
        self._transport.start()
        try:
            if not self._shares_port:
                self.models.load()
        except BaseException:
            self._transport.stop(0)
            raise
        self.health.set_serving(True)
        _LOG.info("serving on %s", self.address)

    def drain(self) -> bool:
        """Refuse new calls, let those under way finish within `drain_s`, then stop. True if all of them finished."""
        self.health.set_serving(False)
        time.sleep(_NOTICE_S)
        self.health.end()
        finished = self._transport.stop(max(self.config.drain_s, _NOTICE_S))
        if self._tracer is not None:
            self._tracer.close()
        _LOG.info("stopped, %s", "every call was finished" if finished else "calls under way were cancelled")
        return finished

    def reload(self, config: ServerConfig) -> None:
        """Take over the settings that may change while this runs, and look for changed models.

        Calls under way keep the models that they began with.

        Raises:
            ConfigError: A file that the settings name cannot be used; all is as before.
        """
        self._dispatcher.gate = Gate(config, self._quotas)
        self.config = config
        report = self.models.reload()
        self.metrics.reloaded("refused" if report.failed else "swapped" if report.changed else "unchanged")

    def snapshot(self) -> Snapshot:
        """What was counted so far."""
        self.metrics.set_gauge("queue_poses", self._batcher.queued_rows)
        self.metrics.set_gauge("streams_open", self._dispatcher.open_streams)
        return self.metrics.snapshot()

    def __enter__(self) -> "PoseServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drain()

    def _offer(self, methods: list[Method]) -> None:
        self._dispatcher.offer(methods)
        streams = [method.path for method in methods if isinstance(method, StreamMethod)]
        self.metrics.know_methods([method.path for method in methods], stream_paths=streams)

    def _open_transport(self) -> Transport:
        config = self.config
        return open_transport(
            config.transport,
            self._dispatcher,
            self._batcher,
            # Without SO_REUSEPORT a second server cannot take half of the calls of a port without a word.
            options=(*channel_options(config), ("grpc.so_reuseport", int(self._shares_port))),
            stream_window=config.stream_window,
            threads=config.call_threads + config.max_streams + _SHORT_CALLS,
        )

    def _models_changed(self, report: ReloadReport) -> None:
        self.health.set_models((model.name, model.version) for model in self.models.all())
        # What remembers models would keep those that were replaced.
        self._lifting.forget()

    def _methods(self) -> list[Method]:
        limit = self.config.max_poses_per_call
        services = (
            self._lifting,
            reprojection.ReprojectionService(max_poses=limit),
            pose_fusion.PoseFusionService(max_poses=limit),
            pose_generation.PoseGenerationService(self.models, max_poses=limit),
            model.ModelService(self.models),
            open_inference.OpenInferenceService(
                self._controlled_models,
                BatchRunner(self._batcher),
                is_serving=lambda: self.health.is_serving,
                max_poses=limit,
                lists_models=self.config.model_listing,
            ),
            health.HealthService(self.health),
            reflection.ReflectionService((*SERVICE_NAMES, health.SERVICE_NAME)),
        )
        return [method for service in services for method in service.methods()]

    def _bind(self) -> int:
        wanted = join_address(self.config.host, self.config.port)
        port = self._transport.bind(wanted, self._credentials)
        if port == 0:
            raise ConfigError(
                f"port: expected an address that can be bound, got {wanted}, which is taken or not of this machine; "
                "choose another with --port, or any free one with --port 0"
            )
        return port


def _warm_sizes(max_batch: int) -> list[int]:
    """Powers of two up to the largest batch: ONNX Runtime sets aside memory for each size when it first comes."""
    sizes = [2**power for power in range(max_batch.bit_length()) if 2**power < max_batch]
    return [*sizes, max_batch]


def _nobody(order: str, name: str, version: str) -> None:
    """Nobody else has these models."""
