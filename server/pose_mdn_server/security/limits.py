"""What no connection and no message may exceed: arguments for gRPC's servers.

gRPC leaves most of these open or generous. Each has a test with a server and a caller who goes beyond it.
"""

import grpc

from pose_mdn_server.config import ServerConfig

HANDSHAKE_S = 10.0
"""For TLS and the first frames of HTTP/2; gRPC's default is 120."""

KEEPALIVE_AFTER_S = 30.0
"""A connection that was silent for so long is asked whether it still lives."""

KEEPALIVE_ANSWER_S = 10.0
"""Time for that answer; then the connection is closed and its calls are cancelled."""

CLIENT_PINGS_EVERY_S = 10.0
"""How often clients may ask the same; gRPC's default, 300, closes connections of clients that keep theirs alive."""

PING_STRIKES = 2
"""Pings that may come sooner, before the connection is closed."""

CALLS_PER_CONNECTION = 1024
"""Calls and streams at the same time on one connection."""

CONNECTIONS = 900
"""Connections at the same time to one worker: with what else it has open, below the usual 1024 file descriptors."""

BOUNDED_SINCE = (1, 85)
"""Version of grpcio from which on a message is refused before it is stored, and unpacked no further than allowed."""

_IDENTITY_ONLY = 1 << 0
"""Bits of grpc_compression_algorithm: 0 is none, 1 deflate, 2 gzip."""


def channel_options(config: ServerConfig) -> tuple[tuple[str, int], ...]:
    """Arguments of the server that limit what a caller can make it do; those of its port are not among them."""
    options = [
        # Above: RESOURCE_EXHAUSTED. Of compressed messages both the packed and the unpacked length count.
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_send_message_length", config.max_message_bytes),
        # gRPC has a soft and a hard limit and refuses calls between them by chance; equal limits leave no chance.
        ("grpc.max_metadata_size", config.max_metadata_bytes),
        ("grpc.absolute_max_metadata_size", config.max_metadata_bytes),
        # Who opens a connection and says nothing, or says it byte by byte, keeps it no longer than this.
        ("grpc.server_handshake_timeout_ms", _ms(HANDSHAKE_S)),
        # Half-open connections: the other end lost its power or its network and will never say so.
        ("grpc.keepalive_time_ms", _ms(KEEPALIVE_AFTER_S)),
        ("grpc.keepalive_timeout_ms", _ms(KEEPALIVE_ANSWER_S)),
        # A server of grpcio 1.81 to 1.85 waits for this one, 60 s by default, whatever the documented one above says.
        ("grpc.http2.ping_timeout_ms", _ms(KEEPALIVE_ANSWER_S)),
        ("grpc.keepalive_permit_without_calls", 1),
        # Floods of pings cost an answer each.
        ("grpc.http2.min_ping_interval_without_data_ms", _ms(CLIENT_PINGS_EVERY_S)),
        ("grpc.http2.max_ping_strikes", PING_STRIKES),
        # Each open call has state and a window of unread bytes; gRPC's default is no limit.
        ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
        # Without file descriptors a process can neither accept nor read its own files again.
        ("grpc.max_allowed_incoming_connections", CONNECTIONS),
    ]
    if config.max_connection_age_s > 0:
        # Also bounds how long a client lives on a certificate or a token's connection that has been withdrawn since.
        options.append(("grpc.max_connection_age_ms", _ms(config.max_connection_age_s)))
        options.append(("grpc.max_connection_age_grace_ms", _ms(config.drain_s)))
    if config.max_connection_idle_s > 0:
        options.append(("grpc.max_connection_idle_ms", _ms(config.max_connection_idle_s)))
    if not messages_are_bounded():
        # These versions unpack all of a message before they measure it: 0.5 MB become 0.5 GB. Compressed messages are
        # refused with UNIMPLEMENTED instead, which clients understand.
        options.append(("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY))
    return tuple(options)


def messages_are_bounded(version: str = grpc.__version__) -> bool:
    """Whether this grpcio refuses a message that is too long before it has stored or unpacked all of it."""
    return tuple(int(part) for part in version.split(".")[:2]) >= BOUNDED_SINCE


def version_warning() -> str:
    """What is missing in the installed grpcio; empty if nothing is."""
    if messages_are_bounded():
        return ""
    return (
        f"grpcio: expected {'.'.join(map(str, BOUNDED_SINCE))} or newer, got {grpc.__version__}, which stores all of a "
        "message, however long, before it refuses it; upgrade it before callers whom you do not trust can connect"
    )


def _ms(seconds: float) -> int:
    return max(1, min(round(seconds * 1e3), 2**31 - 1))
