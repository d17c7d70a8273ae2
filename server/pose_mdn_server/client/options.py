"""How a client connects."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pose_mdn.config.ranges import require
from pose_mdn.errors import ConfigError

DEFAULT_TARGET = "127.0.0.1:8001"
DEFAULT_TIMEOUT_S = 30.0

PRIORITIES = ("interactive", "bulk")
_HOST = re.compile(r"(?:(?:dns|ipv4|ipv6):(?:///)?)?(?P<host>\[[0-9a-fA-F:]+\]|[^:/,\[\]]+)(?::\d+)?")


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    """Everything about a connection but its address."""

    channels: int = 4
    """Connections, over which calls spread. A server of several worker processes gives each connection to one of them,
    by chance: with fewer connections than workers some workers stay idle."""
    timeout_s: float = DEFAULT_TIMEOUT_S
    """Longest wait for the answer to a call, its retries included; streams have no limit."""
    attempts: int = 4
    """How often a call is sent at most if the server is not there, restarts, or refuses because it is too busy; 1 for
    once. gRPC retries by itself and heeds the delay that a server asks for; streams are never retried."""
    wait_for_ready: bool = False
    """Whether calls wait, as long as their time allows, for a server that is not there yet."""
    keepalive_s: float = 0.0
    """After so long without a word the server is asked if it is still there; 0 for never. A server that allows less
    closes the connection."""
    max_message_bytes: int = -1
    """Longest request and longest answer; -1 for no limit."""

    tls: bool | str | Path = False
    """Whether to encrypt; a path is of the PEM file of authorities to trust in place of the system's."""
    client_certificate: Path | None = None
    """Certificate chain of this client, PEM, for servers that ask for one."""
    client_key: Path | None = None
    """Its private key, PEM."""
    server_name: str = ""
    """Name that the server's certificate must have, if it is not the one in the address."""
    token: str = field(default="", repr=False)
    """Bearer token; refused without TLS unless the server is on this machine."""

    priority: Literal["interactive", "bulk"] = "interactive"
    """"bulk" lets others go first where calls wait."""
    request_ids: Callable[[], str] | None = None
    """Gives each call the id under which it stands in the server's log; the server makes one up otherwise."""

    def __post_init__(self) -> None:
        require(self.channels >= 1, "channels", ">= 1", self.channels)
        require(self.timeout_s > 0, "timeout_s", "> 0", self.timeout_s)
        require(1 <= self.attempts <= 5, "attempts", "from 1 to 5, the most that gRPC makes", self.attempts)
        require(self.keepalive_s >= 0, "keepalive_s", ">= 0", self.keepalive_s)
        require(self.priority in PRIORITIES, "priority", f"one of {', '.join(PRIORITIES)}", self.priority)
        require(
            (self.client_certificate is None) == (self.client_key is None),
            "client_key",
            "certificate and key, or neither",
            f"certificate {self.client_certificate}, key {self.client_key}",
        )
        encrypted = self.tls is not False
        require(
            encrypted or self.client_certificate is None, "client_certificate", "tls beside it", "a certificate alone"
        )

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        pairs = []
        if self.token:
            pairs.append(("authorization", f"Bearer {self.token}"))
        if self.priority != "interactive":
            pairs.append(("x-priority", self.priority))
        return tuple(pairs)

    def refuse_token_in_clear(self, target: str) -> None:
        """Refuse to show a token to everybody between here and the server at `target`.

        Raises:
            ConfigError: There is a token, no TLS, and the server is on another machine.
        """
        if self.token and self.tls is False and not is_on_this_machine(target):
            raise ConfigError(
                f"token: expected tls for a server on another machine, got {target} without; set tls=True, or the file "
                "of the authority that signed its certificate"
            )


def is_on_this_machine(target: str) -> bool:
    """Whether a gRPC target is one loopback address or a socket file; false for whatever is not plainly so."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    found = _HOST.fullmatch(target)
    if found is None:
        return False
    host = found["host"].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
