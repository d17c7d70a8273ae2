"""A process that the supervisor started, and starts again if it dies."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pose_mdn_server.processes.channel import FD_VARIABLE, Channel, Message

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0
_LONG_LIFE_S = 30.0
"""Whoever lived so long before dying is started again without a longer pause than the first."""


@dataclass(kw_only=True)
class Child:
    """One place in the family: a worker or the gateway.

    Attributes:
        name: For the log, "worker 0".
        module: What Python runs.
        greeting: What it is told first.
        environment: Variables beside those of this process.
        inherited: File descriptors that it gets from this process.
        restarts: How often it was started again.
        is_ready: Whether it said so.
        failure: Why it could not start, as it said.
        snapshot: Its last metrics.
        start_at: `time.monotonic()` from which it may be started.
    """

    name: str
    module: str
    greeting: Message
    environment: Mapping[str, str]
    inherited: tuple[int, ...] = ()
    restarts: int = 0
    is_ready: bool = False
    failure: str = ""
    snapshot: Message | None = None
    start_at: float = 0.0
    _process: "subprocess.Popen[bytes] | None" = None
    _channel: Channel | None = None
    _started: float = 0.0
    _pause_s: float = field(default=_FIRST_PAUSE_S)

    @property
    def channel(self) -> Channel | None:
        """To the process, while it lives."""
        return self._channel

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Of the process, while it lives."""
        return None if self._process is None else self._process.pid

    def start(self) -> Channel:
        """Start the process, by executing Python anew: gRPC does not survive a fork."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                pass_fds=[theirs.fileno(), *self.inherited],
                env={**os.environ, **self.environment, FD_VARIABLE: str(theirs.fileno())},
                stdin=subprocess.DEVNULL,
            )
        self._channel = Channel(ours)
        self._started = time.monotonic()
        self.is_ready = False
        self._channel.send(self.greeting)
        return self._channel

    def tell(self, message: Message) -> None:
        """Tell the process something, if there is one."""
        if self._channel is not None:
            self._channel.send(message)

    def buried(self) -> int:
        """Take leave of a process whose end of the channel is closed; gives its exit code, negative for a signal."""
        assert self._process is not None
        assert self._channel is not None
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # it closed its end and lives on, which no process of ours does by itself
            self._process.kill()
            code = self._process.wait()
        self._channel.close()
        lived = time.monotonic() - self._started
        self._pause_s = _FIRST_PAUSE_S if lived > _LONG_LIFE_S else min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self.start_at = time.monotonic() + self._pause_s
        self._process = self._channel = None
        self.is_ready = False
        return code

    def kill(self) -> None:
        """End the process at once, if there is one."""
        if self._process is not None:
            self._process.kill()
