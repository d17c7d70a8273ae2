"""The HTTP port's process: bind, serve, and stop when told to."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Sequence

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.gateway.gateway import Gateway
from pose_mdn_server.gateway.supervisor import Supervisor

_BACKLOG = 128


def bind(host: str, port: int) -> socket.socket:
    """A listening socket for the HTTP port.

    Raises:
        ConfigError: The address cannot be bound.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(found[0], found[1], found[2])
    except OSError as error:
        raise _cannot_bind(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_bind(host, port, error) from None
    return listener


def run_gateway(
    config: ServerConfig,
    *,
    supervisor: Supervisor,
    grpc_target: str,
    listener: socket.socket | None = None,
    announce: Callable[[int], None] = lambda port: None,
    stop_signals: Sequence[int] = (signal.SIGTERM, signal.SIGINT),
) -> bool:
    """Serve the HTTP port until SIGTERM or SIGINT, then let requests under way finish. True if all of them did.

    Must be called from the main thread.

    Args:
        config: Settings of the server.
        supervisor: Tells metrics and readiness.
        grpc_target: Where the gRPC port is, "HOST:PORT" or "unix:PATH".
        listener: A listening socket; one is bound to `http_host` and `http_port` if absent.
        announce: Is told the port once requests are answered.
        stop_signals: Others than SIGTERM and SIGINT.

    Raises:
        ConfigError: The address cannot be bound, or the certificate not used.
    """
    bound = listener if listener is not None else bind(config.http_host, config.http_port or 0)
    return asyncio.run(
        _serve(Gateway(config, supervisor=supervisor, grpc_target=grpc_target), bound, announce, stop_signals)
    )


async def _serve(
    gateway: Gateway, listener: socket.socket, announce: Callable[[int], None], stop_signals: Sequence[int]
) -> bool:
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    told_again = asyncio.Event()

    def stop() -> None:
        (told_again if told_to_stop.is_set() else told_to_stop).set()

    for number in stop_signals:
        loop.add_signal_handler(number, stop)
    gateway.start(listener)
    announce(int(listener.getsockname()[1]))
    await told_to_stop.wait()
    draining = asyncio.create_task(gateway.drain())
    impatient = asyncio.create_task(told_again.wait())
    await asyncio.wait((draining, impatient), return_when=asyncio.FIRST_COMPLETED)
    if draining.done():
        impatient.cancel()
        return draining.result()
    draining.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await draining
    return False


def _cannot_bind(host: str, port: int, error: OSError) -> ConfigError:
    return ConfigError(
        f"http_port: expected an address that can be bound, got {host}:{port} ({error.strerror}); choose another with "
        "--http-port, or any free one with --http-port 0"
    )
