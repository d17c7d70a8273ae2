"""What processes of one server tell each other: JSON objects, one per line, over a pair of sockets."""

import json
import os
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

FD_VARIABLE = "POSE_MDN_CHANNEL_FD"
"""Environment variable that tells a child which file descriptor is its end."""

_CHUNK = 65_536
_SEND_TIMEOUT_S = 5.0

Message = dict[str, Any]


class Channel:
    """One end. Sending is safe from any thread; receiving is for one."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.settimeout(None)
        self._lock = threading.Lock()
        self._rest = b""
        self._waiting: deque[Message] = deque()

    @classmethod
    def of_parent(cls) -> "Channel":
        """The end that a child was started with.

        Raises:
            KeyError: This process was not started by a supervisor.
        """
        return cls(socket.socket(fileno=int(os.environ.pop(FD_VARIABLE))))

    def fileno(self) -> int:
        """For selectors."""
        return self._end.fileno()

    def send(self, message: Message) -> bool:
        """Tell the other end. False if it is gone, or does not read."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                self._end.settimeout(_SEND_TIMEOUT_S)
                self._end.sendall(data)
            except OSError:
                return False
            finally:
                self._end.settimeout(None)
        return True

    def receive(self) -> list[Message] | None:
        """What has come, perhaps nothing whole yet; `None` if the other end is gone. Waits until something is there."""
        try:
            data = self._end.recv(_CHUNK)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def messages(self) -> Iterator[Message]:
        """Everything that comes, until the other end is gone. Whoever stops may go on later."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            found = self.receive()
            if found is None:
                return
            self._waiting.extend(found)

    def close(self) -> None:
        """Let go of this end."""
        self._end.close()
