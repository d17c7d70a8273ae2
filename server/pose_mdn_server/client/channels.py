"""Several connections to one address, and what gRPC is told about each.

Calls of one HTTP/2 connection all reach the same worker process of a server. gRPC shares connections between channels
of equal options, so each channel here gets a pool of its own and an argument that tells it from the others.
"""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc

from pose_mdn.errors import ConfigError
from pose_mdn_server.client.options import ConnectionOptions, is_on_this_machine
from pose_mdn_server.codec.methods import LIFT_STREAM, UNARY_METHODS

Channel = TypeVar("Channel")
ChannelArguments = list[tuple[str, Any]]

_RETRIED = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
"""Codes of calls that did nothing and may do better the next time."""
_RETRY_BUFFER_BYTES = 16 * 1024 * 1024
"""Requests up to this size are kept until their answer begins, so that they can be sent again; gRPC's own limit of
256 KiB would leave out calls of 1024 poses."""


class PooledChannel(Generic[Channel]):
    """One connection.

    Attributes:
        channel: What gRPC calls it.
        calls: Calls and streams under way.
        methods: What gRPC made for each method, by its path.
    """

    __slots__ = ("_index", "calls", "channel", "methods")

    def __init__(self, channel: Channel, index: int) -> None:
        self.channel = channel
        self.calls = 0
        self.methods: dict[str, Any] = {}
        self._index = index


class ChannelPool(Generic[Channel]):
    """Chooses a connection for each call: one with the fewest calls under way, and of those each in its turn."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.members = [PooledChannel(channel, index) for index, channel in enumerate(channels)]
        self._next = 0
        self._lock = threading.Lock()

    def take(self) -> PooledChannel[Channel]:
        """The connection for one call or stream, to be given back when that is over."""
        members = self.members
        with self._lock:
            best = members[self._next]
            for offset in range(1, len(members)):
                if best.calls == 0:
                    break
                member = members[(self._next + offset) % len(members)]
                if member.calls < best.calls:
                    best = member
            self._next = (best._index + 1) % len(members)
            best.calls += 1
        return best

    def give_back(self, member: PooledChannel[Channel]) -> None:
        """The call is over."""
        with self._lock:
            member.calls -= 1


def channel_arguments(target: str, options: ConnectionOptions, index: int) -> ChannelArguments:
    """What gRPC is told about connection number `index` to `target`."""
    arguments: ChannelArguments = [
        ("grpc.use_local_subchannel_pool", 1),
        ("pose_mdn.connection", index),
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.max_send_message_length", options.max_message_bytes),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5000),
        ("grpc.per_rpc_retry_buffer_size", _RETRY_BUFFER_BYTES),
        ("grpc.service_config", service_config(options)),
    ]
    if options.keepalive_s:
        arguments += [
            ("grpc.keepalive_time_ms", round(options.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", max(1000, round(options.keepalive_s * 500))),
            ("grpc.keepalive_permit_without_calls", 1),
        ]
    if is_on_this_machine(target):
        # A proxy of the environment is for other machines, and would see tokens.
        arguments.append(("grpc.enable_http_proxy", 0))
    if options.server_name:
        arguments.append(("grpc.ssl_target_name_override", options.server_name))
    return arguments


def service_config(options: ConnectionOptions) -> str:
    """Which calls are sent again, and when; gRPC's own format.

    A server that sends `grpc-retry-pushback-ms` with its refusal sets the delay itself. Throttling stops retries once
    failures outnumber answers for long, so that clients do not keep a server down that is coming up.
    """
    unary: dict[str, Any] = {"name": [_name(path) for path in UNARY_METHODS], "waitForReady": options.wait_for_ready}
    if options.attempts > 1:
        unary["retryPolicy"] = {
            "maxAttempts": options.attempts,
            "initialBackoff": "0.1s",
            "maxBackoff": "2s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": _RETRIED,
        }
    streams = {"name": [_name(LIFT_STREAM.path)], "waitForReady": options.wait_for_ready}
    throttling = {"maxTokens": 1000, "tokenRatio": 1}
    return json.dumps({"methodConfig": [unary, streams], "retryThrottling": throttling})


def tls_credentials(options: ConnectionOptions) -> grpc.ChannelCredentials | None:
    """What encrypts, `None` for nothing.

    Raises:
        ConfigError: A file cannot be read.
    """
    if options.tls is False:
        return None
    authorities = None if options.tls is True else Path(options.tls)
    files = {"tls": authorities, "client_key": options.client_key, "client_certificate": options.client_certificate}
    contents = []
    for name, path in files.items():
        try:
            contents.append(None if path is None else path.read_bytes())
        except OSError as error:
            raise ConfigError(f"{name}: expected a PEM file, got {path} ({error.strerror})") from error
    return grpc.ssl_channel_credentials(*contents)


def _name(path: str) -> dict[str, str]:
    service, _, method = path.lstrip("/").partition("/")
    return {"service": service, "method": method}
