"""What every transport can do."""

from collections.abc import Sequence
from typing import Protocol

import grpc

ChannelOptions = Sequence[tuple[str, int | str]]


class Transport(Protocol):
    """A listening socket, and the threads that serve it."""

    def bind(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        """Listen on HOST:PORT (port 0: any free one) once started; gives the port, 0 if it cannot be had."""

    def start(self) -> None:
        """Take calls."""

    def stop(self, grace_s: float) -> bool:
        """Take no new calls, give those under way so many seconds, then cancel them. True if none was cancelled."""
