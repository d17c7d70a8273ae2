"""The supervisor: starts the workers and the gateway, starts again what dies, passes on signals, adds up metrics.

It does nothing that could fail on its own: no gRPC, no models, one thread.
"""

import contextlib
import logging
import os
import selectors
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, cast

from pose_mdn.errors import ConfigError
from pose_mdn_server.addresses import join_address
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_json import encode_config
from pose_mdn_server.config_sources import changed_settings, with_live_changes
from pose_mdn_server.errors import StartupError
from pose_mdn_server.processes.channel import Message
from pose_mdn_server.processes.child import Child
from pose_mdn_server.processes.port import listen, reserve_port
from pose_mdn_server.security.bind_policy import require_safe_address
from pose_mdn_server.security.quotas import Quotas
from pose_mdn_server.telemetry.metrics import Metrics
from pose_mdn_server.telemetry.snapshots import Snapshot, merge, retired

_LOG = logging.getLogger(__name__)

WORKER = "pose_mdn_server.processes.worker"
GATEWAY = "pose_mdn_server.processes.gateway"

_QUOTAS = "quotas"

_TICK_S = 0.25
_STARTUP_S = 120.0
_AFTER_DRAIN_S = 5.0
"""How much longer than `drain_s` a worker may take before it is killed."""

_ALLOCATOR = {"MALLOC_ARENA_MAX": "2"}
"""Each thread of gRPC would otherwise keep what passed through it: hundreds of megabytes after answers of some."""


class Supervisor:
    """A family of processes behind one port.

    Args:
        config: All settings; port 0 becomes a free one.
    """

    def __init__(self, config: ServerConfig) -> None:
        require_safe_address(config)
        self.port, self._reserved = reserve_port(config.host, config.port)
        self._listener = None if config.http_port is None else listen(config.http_host, config.http_port)
        self.http_port = None if self._listener is None else int(self._listener.getsockname()[1])
        self.config = replace(config, port=self.port, http_port=self.http_port)
        # Quotas are of the server, whichever worker a client talks to.
        self._shared = Path(tempfile.mkdtemp(prefix="pose-mdn-"))
        Quotas.create(self._shared / _QUOTAS)
        count = config.workers or len(os.sched_getaffinity(0))
        self._workers = [self._child(f"worker {number}", WORKER) for number in range(count)]
        self._children = [*self._workers, *self._gateway()]
        self._metrics = Metrics(worker="supervisor")
        self._unloaded: list[list[str]] = []
        self._dead: list[Snapshot] = []
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._unfinished = 0
        self.models: list[str] = []

    @property
    def address(self) -> str:
        """HOST:PORT of gRPC."""
        return join_address(self.config.host, self.port)

    @property
    def http_address(self) -> str | None:
        """HOST:PORT of metrics, probes and browsers' calls, if it is served."""
        return None if self.http_port is None else join_address(self.config.http_host, self.http_port)

    @property
    def num_workers(self) -> int:
        """How many processes answer."""
        return len(self._workers)

    @property
    def worker_pids(self) -> list[int]:
        """Of the workers that live."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def start(self) -> None:
        """Start every process and wait until all are ready.

        Raises:
            StartupError: One of them cannot start; the others are stopped again.
        """
        for child in self._children:
            self._start(child)
        deadline = time.monotonic() + _STARTUP_S
        while not all(child.is_ready for child in self._children):
            self.attend(_TICK_S)
            failed = next((child for child in self._children if child.failure), None)
            if failed is not None or time.monotonic() > deadline:
                self.kill()
                reason = failed.failure if failed else f"no answer within {_STARTUP_S:g} s"
                raise StartupError(reason)

    def attend(self, seconds: float) -> None:
        """Do what there is to do, for that long at most."""
        for key, _ in self._selector.select(seconds):
            child: Child = key.data
            assert child.channel is not None
            messages = child.channel.receive()
            if messages is None:
                self._bury(child)
            for message in messages or ():
                self._hear(child, message)
        for child in self._children:
            if not (child.is_running or self._stopping or child.failure) and time.monotonic() >= child.start_at:
                child.restarts += 1
                self._metrics.worker_restarted()
                self._start(child)

    def reload(self, wanted: ServerConfig) -> None:
        """Have every worker take over what may change while it runs, and look for changed models.

        Args:
            wanted: The settings as they are now; what needs a restart keeps its value, and the log says so.
        """
        # A port that was any free one is now this one.
        wanted = replace(
            wanted,
            port=wanted.port or self.port,
            http_port=self.http_port if wanted.http_port == 0 else wanted.http_port,
        )
        changed = changed_settings(self.config, wanted)
        if changed.need_restart:
            _LOG.warning("changed settings that need a restart: %s", ", ".join(changed.need_restart))
        self.config = with_live_changes(self.config, wanted)
        for child in self._children:
            child.greeting["config"] = encode_config(self.config)
        self._tell_workers({"do": "reload", "config": encode_config(self.config)})

    def stop(self) -> bool:
        """Have every worker finish its calls, then end everything. True if every call was finished."""
        self._stopping = True
        self._tell_workers({"do": "drain"})
        deadline = time.monotonic() + self.config.drain_s + _AFTER_DRAIN_S
        self._wait_for(self._workers, deadline)
        self._unfinished += sum(child.is_running for child in self._workers)
        others = [child for child in self._children if child not in self._workers]
        for child in others:
            child.tell({"do": "stop"})
        self._wait_for(others, time.monotonic() + _AFTER_DRAIN_S)
        self.kill()
        return self._unfinished == 0

    def kill(self) -> None:
        """End everything at once."""
        self._stopping = True
        for child in self._children:
            child.kill()
            if child.channel is not None:
                self._bury(child)
        for listening in (self._reserved, self._listener):
            if listening is not None:
                listening.close()
        shutil.rmtree(self._shared, ignore_errors=True)

    def __enter__(self) -> "Supervisor":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_for(self, children: Sequence[Child], deadline: float) -> None:
        while any(child.is_running for child in children) and time.monotonic() < deadline:
            self.attend(_TICK_S)

    def _gateway(self) -> list[Child]:
        if self._listener is None:
            return []
        return [self._child("gateway", GATEWAY, inherited=(self._listener.fileno(),))]

    def _child(self, name: str, module: str, *, inherited: tuple[int, ...] = ()) -> Child:
        greeting: Message = {
            "name": name.rpartition(" ")[2],
            "config": encode_config(self.config),
            "quotas": str(self._shared / _QUOTAS),
            "unloaded": [],
            "listener": inherited[0] if inherited else None,
        }
        environment = {
            **{name: os.environ.get(name, value) for name, value in _ALLOCATOR.items()},
            "OMP_NUM_THREADS": str(self.config.inference_threads),
            "GRPC_VERBOSITY": os.environ.get("GRPC_VERBOSITY", "NONE"),
        }
        return Child(name=name, module=module, greeting=greeting, environment=environment, inherited=inherited)

    def _start(self, child: Child) -> None:
        self._selector.register(child.start(), selectors.EVENT_READ, child)

    def _bury(self, child: Child) -> None:
        self._selector.unregister(child.channel)  # type: ignore[arg-type]
        code = child.buried()
        if child.snapshot is not None:
            self._dead = [merge([*self._dead, retired(cast(Snapshot, child.snapshot))])]
            child.snapshot = None
        if not self._stopping and not child.failure:
            _LOG.error("%s ended with exit code %d; it is started again", child.name, code)

    def _hear(self, child: Child, message: Message) -> None:
        kind = message.get("is")
        if kind == "ready":
            child.is_ready = True
            self.models = message.get("models", self.models)
        elif kind == "failed":
            # One that could not even start once has a reason that a second try will not mend.
            if child.restarts:
                _LOG.error("%s cannot start: %s", child.name, message["reason"])
            else:
                child.failure = message["reason"]
        elif kind == "metrics":
            child.snapshot = message["snapshot"]
        elif kind == "drained":
            self._unfinished += not message["finished"]
        elif kind == "model-control":
            self._control_models(message["order"], by=child)
        elif kind == "question":
            child.tell({"do": "answer", "id": message["id"], "answer": self._answer(message["question"])})

    def _control_models(self, order: Message, *, by: Child) -> None:
        """What one worker was told to load or unload, others do as well, and whoever takes their place."""
        model = [order["name"], order["version"]]
        if order["do"] == "unload":
            self._unloaded.append(model)
        else:
            self._unloaded = [mark for mark in self._unloaded if mark[0] != model[0] or model[1] not in ("", mark[1])]
        for worker in self._workers:
            worker.greeting["unloaded"] = self._unloaded
        self._tell_workers(order, but=by)

    def _answer(self, question: str) -> Any:
        if question == "metrics":
            self._metrics.set_gauge("workers", sum(child.is_ready for child in self._workers))
            living = [cast(Snapshot, child.snapshot) for child in self._workers if child.snapshot is not None]
            return merge([*self._dead, *living, self._metrics.snapshot()])
        ready = sum(child.is_ready for child in self._workers)
        return {
            "ready": ready > 0 and not self._stopping,
            "workers": len(self._workers),
            "workers_ready": ready,
            "restarts": sum(child.restarts for child in self._workers),
            "models": self.models,
        }

    def _tell_workers(self, order: Message, *, but: Child | None = None) -> None:
        for worker in self._workers:
            if worker is not but:
                worker.tell(order)


def supervise_until_signalled(read_config: Callable[[], ServerConfig], announce: Callable[[Supervisor], None]) -> bool:
    """Serve until SIGTERM or SIGINT, then drain; a second signal stops at once. True if every call was finished.

    SIGHUP has models and settings read again. Must be called from the main thread.

    Args:
        read_config: Gives the settings as they are now.
        announce: Called once everything is ready.

    Raises:
        ConfigError: An address cannot be had.
        StartupError: A process cannot start.
    """
    with _signals() as came:
        supervisor = Supervisor(read_config())
        supervisor.start()
        announce(supervisor)
        looked = time.monotonic()
        while not {signal.SIGTERM, signal.SIGINT} & came:
            if signal.SIGHUP in came:
                came.discard(signal.SIGHUP)
                _reload(supervisor, read_config)
            pause_s = supervisor.config.repository_poll_s
            if pause_s and time.monotonic() > looked + pause_s:
                looked = time.monotonic()
                supervisor.reload(supervisor.config)
            supervisor.attend(_TICK_S)
    return supervisor.stop()


def _reload(supervisor: Supervisor, read_config: Callable[[], ServerConfig]) -> None:
    try:
        wanted = read_config()
    except ConfigError as error:
        _LOG.error("settings stay as they were: %s", error)
        wanted = supervisor.config
    supervisor.reload(wanted)


@contextlib.contextmanager
def _signals() -> Iterator[set[int]]:
    """The signals that came. After SIGTERM or SIGINT, and when this ends, the next one has its default effect."""
    came: set[int] = set()

    def note(number: int, frame: FrameType | None) -> None:
        came.add(number)
        if number != signal.SIGHUP:
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)
    yield came
