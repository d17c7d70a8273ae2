"""A worker: one gRPC server, told what to do by its supervisor. Run as `python -m pose_mdn_server.processes.worker`."""

import gc
import logging
import os
import queue
import signal
import threading
from collections.abc import Collection
from pathlib import Path

from pose_mdn.errors import PoseMDNError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_json import decode_config
from pose_mdn_server.processes.channel import Channel, Message
from pose_mdn_server.processes.sockets import open_sockets, wait_until_closed
from pose_mdn_server.server import PoseServer
from pose_mdn_server.telemetry import logs

_LOG = logging.getLogger(__name__)

_REPORT_S = 0.5
_OBJECTS_BEFORE_COLLECTION = 50_000
_LAST_WRITES_S = 3.0
"""For callers who take their last answers slowly."""


class Worker:
    """Serves until the supervisor says otherwise, or is gone.

    Args:
        config: All settings; the port is known.
        quotas: File of what clients have left, which workers share.
        name: For metrics.
        unloaded: Models by name and version that callers had unloaded.
        channel: To the supervisor.
    """

    def __init__(
        self,
        config: ServerConfig,
        *,
        quotas: Path,
        name: str,
        unloaded: Collection[tuple[str, str]],
        channel: Channel,
    ) -> None:
        self._config = config
        self._channel = channel
        self._server = PoseServer(
            config, shared_quotas=quotas, worker=name, unloaded=unloaded, on_control=self._tell_others
        )
        self._orders: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._listening: frozenset[str] = frozenset()
        self._done = threading.Event()

    def run(self) -> bool:
        """Serve. True if every call was finished."""
        own_sockets = open_sockets()
        self._server.start()
        self._listening = open_sockets()
        # What is there by now lives as long as the process, and calls leave no cycles behind: looking through all of it
        # for garbage again and again would be in vain.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
        self._say_ready()
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        threading.Thread(target=self._report, name="metrics", daemon=True).start()
        while (order := self._orders.get()) is not None and order["do"] != "drain":
            self._obey(order)
        finished = self._server.drain()
        wait_until_closed(but=own_sockets, seconds=_LAST_WRITES_S)
        self._done.set()
        self._send_metrics()
        self._channel.send({"is": "drained", "finished": finished})
        return finished

    def _listen(self) -> None:
        for order in self._channel.messages():
            self._orders.put(order)
        # The supervisor is gone, and with it whoever could stop us.
        self._orders.put({"do": "drain"})

    def _obey(self, order: Message) -> None:
        try:
            if order["do"] == "reload":
                config = decode_config(order["config"])
                logs.configure(log_format=config.log_format, access_log=config.access_log)
                self._server.reload(config)
            elif order["do"] == "load":
                self._server.models.load_model(order["name"], order["version"])
            elif order["do"] == "unload":
                self._server.models.unload_model(order["name"], order["version"])
        except PoseMDNError as error:
            _LOG.error("%s: %s", order["do"], error)
        self._say_ready()

    def _tell_others(self, order: str, name: str, version: str) -> None:
        self._channel.send({"is": "model-control", "order": {"do": order, "name": name, "version": version}})

    def _say_ready(self) -> None:
        names = [f"{model.name}/{model.version}" for model in self._server.models.all()]
        self._channel.send({"is": "ready", "models": names})

    def _report(self) -> None:
        while not self._done.wait(_REPORT_S):
            self._send_metrics()

    def _send_metrics(self) -> None:
        self._server.metrics.set_gauge("connections", len(open_sockets() - self._listening))
        self._channel.send({"is": "metrics", "snapshot": self._server.snapshot()})


def main() -> None:
    """Start, as the supervisor says."""
    # Signals often reach the whole family, but only the supervisor acts on them.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    channel = Channel.of_parent()
    greeting = next(channel.messages())
    config = decode_config(greeting["config"])
    log = logs.configure(log_format=config.log_format, access_log=config.access_log)
    try:
        finished = Worker(
            config,
            quotas=Path(greeting["quotas"]),
            name=greeting["name"],
            unloaded=[(name, version) for name, version in greeting["unloaded"]],
            channel=channel,
        ).run()
    except PoseMDNError as error:
        channel.send({"is": "failed", "reason": str(error)})
        log.flush(_LAST_WRITES_S)
        os._exit(1)
    # Threads of long calls that were cancelled may still run, and nobody waits for them.
    log.flush(_LAST_WRITES_S)
    os._exit(0 if finished else 1)


if __name__ == "__main__":
    main()
