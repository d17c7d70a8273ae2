"""A probe for containers: one question to a server, one line, an exit code.

    python -m pose_mdn_server.healthcheck                          # the server of these settings, as a whole
    python -m pose_mdn_server.healthcheck HOST:PORT --ca ca.pem    # another one, encrypted
    python -m pose_mdn_server.healthcheck --service mdn_lifter     # one model of it
    python -m pose_mdn_server.healthcheck --http                   # over HTTP: /readyz

Without HOST:PORT it asks on loopback where a server with the same environment, and with the file that POSE_MDN_CONFIG
names, listens, encrypted if that server is; where it wants certificates, it is shown its own. Exit code 0 means that
the server takes requests. No token is needed.
"""

import argparse
import http.client
import os
import re
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pose_mdn.errors import ConfigError
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import config_file, load_config
from pose_mdn_server.probe_encryption import Encryption

DEFAULT_TARGET = f"127.0.0.1:{ServerConfig.port}"
TIMEOUT_S = 3.0
SERVING = "SERVING"
UNAVAILABLE = "UNAVAILABLE"


def check(
    target: str = DEFAULT_TARGET,
    *,
    service: str = "",
    encryption: Encryption | None = None,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Ask a server for its health, over grpc.health.v1.

    Args:
        target: Address, "host:port".
        service: Name of a model or a service; empty for the server as a whole.
        encryption: None for servers that do not encrypt.
        timeout_s: How long to wait for the answer.

    Returns:
        "SERVING", or what is in the way: another serving status of the protocol, or the name of a gRPC status code.

    Raises:
        ConfigError: A certificate cannot be read, or one would have to be believed across a network.
    """
    try:
        channel = encryption.channel(target, timeout_s=timeout_s) if encryption else grpc.insecure_channel(target)
    except OSError:
        return UNAVAILABLE
    with channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def check_http(target: str, *, encryption: Encryption | None = None, timeout_s: float = TIMEOUT_S) -> str:
    """Ask a server's HTTP port for its readiness; arguments and errors as of `check`.

    Returns:
        "SERVING", or "HTTP" with the status that came instead, or "UNAVAILABLE".
    """
    connection = (
        http.client.HTTPConnection(target, timeout=timeout_s)
        if encryption is None
        else http.client.HTTPSConnection(target, timeout=timeout_s, context=encryption.http_context(target))
    )
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return UNAVAILABLE
    finally:
        connection.close()
    return SERVING if status == http.HTTPStatus.OK else f"HTTP {status}"


def main() -> int:
    """Print the health of the server named on the command line and return the exit code."""
    arguments = _arguments()
    try:
        target, encryption = _asked_for(arguments)
        health = (
            check_http(target, encryption=encryption, timeout_s=arguments.timeout_s)
            if arguments.http
            else check(target, service=arguments.service, encryption=encryption, timeout_s=arguments.timeout_s)
        )
    except ConfigError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{target}: {health}\n")
    return 0 if health == SERVING else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="healthcheck", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", metavar="HOST:PORT", help="the server; that of the settings if left out")
    parser.add_argument("--service", default="", metavar="NAME", help="a model or a service instead of the whole")
    parser.add_argument("--http", action="store_true", help="ask the HTTP port for /readyz instead")
    parser.add_argument("--tls", action="store_true", help="encrypt; on loopback any certificate will do")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="encrypt, and believe what these certificates sign")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="encrypt, and show this certificate")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the private key of that certificate")
    parser.add_argument("--timeout-s", type=float, default=TIMEOUT_S, metavar="SECONDS", help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.http and arguments.service:
        parser.error("--http asks for the whole server; leave --service out")
    if (arguments.certificate is None) != (arguments.key is None):
        parser.error("--certificate and --key come together")
    return arguments


def _asked_for(arguments: argparse.Namespace) -> tuple[str, Encryption | None]:
    """Whom to ask, and how: as the command line says, else as the settings of a server here say."""
    encryption = None
    if arguments.tls or arguments.ca or arguments.certificate:
        encryption = Encryption(ca=arguments.ca, certificate=arguments.certificate, key=arguments.key)
    if arguments.target is not None:
        if re.fullmatch(r".+:\d+", arguments.target) is None:
            raise ConfigError(f"expected HOST:PORT, got {arguments.target!r}")
        return arguments.target, encryption
    config = load_config(config_file(None, os.environ), {}, os.environ)
    host, port = (config.http_host, config.http_port) if arguments.http else (config.host, config.port)
    if port is None:
        raise ConfigError("http_port: expected a port to ask over HTTP, got none; leave --http out")
    if encryption is None and config.tls_certificate is not None:
        wanted = config.tls_client_ca is not None
        encryption = Encryption(
            certificate=config.tls_certificate if wanted else None, key=config.tls_key if wanted else None
        )
    return f"{_reachable(host)}:{port}", encryption


def _reachable(host: str) -> str:
    """Where to ask a server that listens on an address; one that listens everywhere does so on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}.get(host, host).strip("[]")
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
