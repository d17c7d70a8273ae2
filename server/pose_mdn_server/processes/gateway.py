"""The gateway's process. Run as `python -m pose_mdn_server.processes.gateway`."""

import itertools
import os
import signal
import socket
import threading
from queue import Empty, SimpleQueue
from typing import Any

from pose_mdn.errors import PoseMDNError
from pose_mdn_server.addresses import join_address
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_json import decode_config
from pose_mdn_server.gateway.run import run_gateway
from pose_mdn_server.processes.channel import Channel
from pose_mdn_server.telemetry import logs
from pose_mdn_server.telemetry.exposition import exposition

_ANSWER_S = 5.0
_STOP = signal.SIGUSR1
"""What this process tells itself when it is to end."""


class SupervisorLink:
    """The supervisor, as the gateway sees it: who knows metrics and readiness of all workers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = itertools.count()
        self._waiting: dict[int, SimpleQueue[Any]] = {}
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def metrics(self, openmetrics: bool) -> tuple[bytes, str]:
        """Metrics of all workers in OpenMetrics' or Prometheus' text format, and their content type."""
        return exposition(self._ask("metrics"), openmetrics)

    def readiness(self) -> dict[str, object]:
        """What is ready, as JSON; `ready` is true if calls are answered."""
        try:
            found: dict[str, object] = self._ask("readiness")
        except TimeoutError as error:
            return {"ready": False, "reason": str(error)}
        return found

    def _ask(self, question: str) -> Any:
        number = next(self._numbers)
        answer: SimpleQueue[Any] = SimpleQueue()
        self._waiting[number] = answer
        try:
            self._channel.send({"is": "question", "id": number, "question": question})
            return answer.get(timeout=_ANSWER_S)
        except Empty:
            raise TimeoutError("the supervisor did not answer") from None
        finally:
            self._waiting.pop(number, None)

    def _listen(self) -> None:
        for message in self._channel.messages():
            waiting = self._waiting.get(message.get("id", -1))
            if waiting is not None:
                waiting.put(message["answer"])
            elif message["do"] == "stop":
                break
        # The supervisor says so, or is gone.
        os.kill(os.getpid(), _STOP)


def main() -> None:
    """Start, as the supervisor says."""
    # Signals often reach the whole family, but only the supervisor acts on them.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    channel = Channel.of_parent()
    greeting = next(channel.messages())
    config = decode_config(greeting["config"])
    logs.configure(log_format=config.log_format, access_log=config.access_log)

    def announce(port: int) -> None:
        channel.send({"is": "ready"})

    try:
        run_gateway(
            config,
            supervisor=SupervisorLink(channel),
            grpc_target=_target(config),
            listener=socket.socket(fileno=greeting["listener"]),
            announce=announce,
            stop_signals=(_STOP,),
        )
    except PoseMDNError as error:
        channel.send({"is": "failed", "reason": str(error)})
        os._exit(1)


def _target(config: ServerConfig) -> str:
    """Where workers are reached from this machine, whatever they listen on."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(config.host, config.host)
    return join_address(host, config.port)


if __name__ == "__main__":
    main()
