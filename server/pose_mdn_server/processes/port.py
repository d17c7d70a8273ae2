"""The one port that all workers listen on."""

import socket

from pose_mdn.errors import ConfigError
from pose_mdn_server.addresses import join_address


def reserve_port(host: str, port: int) -> tuple[int, socket.socket]:
    """Find the port for the workers, and keep it from others as long as the socket lives.

    The kernel spreads new connections over all sockets that listen on one port with SO_REUSEPORT. That also lets a
    second server take half of the connections of a first one, so the port must be free before it is shared.

    Args:
        host: Address to listen on.
        port: Wanted; 0 for any free one.

    Returns:
        The port, and the socket that reserves it. It does not listen, so that no connection ever ends up there.

    Raises:
        ConfigError: The address cannot be had.
    """
    wanted = join_address(host, port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
        reserved = socket.socket(family, kind, protocol)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError as error:
        raise ConfigError(
            f"port: expected an address that can be bound, got {wanted}, which is taken or not of this machine "
            f"({error.strerror or error}); choose another with --port, or any free one with --port 0"
        ) from error
    return int(reserved.getsockname()[1]), reserved


def listen(host: str, port: int, *, backlog: int = 128) -> socket.socket:
    """A socket that listens, for the gateway: connections wait in it while a gateway that died is started again.

    Raises:
        ConfigError: The address cannot be had.
    """
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=backlog
        )
    except OSError as error:
        raise ConfigError(
            f"http_port: expected an address that can be bound, got {join_address(host, port)}, which is taken or not "
            f"of this machine ({error.strerror or error}); choose another with --http-port, any free one with 0, or "
            "none with none"
        ) from error
