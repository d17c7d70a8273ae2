"""A probe for containers: one question to a server, one line, an exit code.

    python -m pose_mdn_server.healthcheck                          # the server of these settings, as a whole
    python -m pose_mdn_server.healthcheck HOST:PORT --ca ca.pem    # another one, encrypted
    python -m pose_mdn_server.healthcheck --service mdn_lifter     # one model of it
    python -m pose_mdn_server.healthcheck --http                   # over HTTP: /readyz

Without HOST:PORT it asks on loopback where a server with the same environment, and with the file that POSE_MDN_CONFIG
names, listens. Exit code 0 means that the server takes requests. No token is needed.
"""

import argparse
import http.client
import os
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pose_mdn.errors import ConfigError
from pose_mdn_server.certificate_seen import certificate_seen
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.config_sources import config_file, load_config

DEFAULT_TARGET = f"127.0.0.1:{ServerConfig.port}"
TIMEOUT_S = 3.0
SERVING = "SERVING"

_LOOPBACK = ("127.", "localhost:", "[::1]:")


def check(
    target: str = DEFAULT_TARGET,
    *,
    service: str = "",
    ca: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    tls: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Ask a server for its health, over grpc.health.v1.

    Args:
        target: Address, "host:port".
        service: Name of a model or a service; empty for the server as a whole.
        ca: Certificates that sign the server's, PEM; the connection is then encrypted.
        certificate: The prober's own certificate chain, PEM, for servers that want one.
        key: Private key of it, PEM.
        tls: Encrypt; without `ca` whoever answers on this machine is believed.
        timeout_s: How long to wait for the answer.

    Returns:
        "SERVING", or what is in the way: another serving status of the protocol, or the name of a gRPC status code.

    Raises:
        ConfigError: A file cannot be read, or the server's certificate would have to be believed across a network.
    """
    try:
        channel = _channel(target, ca, certificate, key, tls=tls or ca is not None, timeout_s=timeout_s)
    except OSError as error:
        if error.filename is not None:
            raise ConfigError(f"expected a PEM file, got {error.filename}: {error.strerror}") from None
        return grpc.StatusCode.UNAVAILABLE.name
    with channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def check_http(target: str, *, timeout_s: float = TIMEOUT_S) -> str:
    """Ask a server's HTTP port for its readiness.

    Args:
        target: Address, "host:port".
        timeout_s: How long to wait for the answer.

    Returns:
        "SERVING", or "HTTP" with the status that came instead, or "UNAVAILABLE".
    """
    try:
        connection = http.client.HTTPConnection(target, timeout=timeout_s)
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException):
        return grpc.StatusCode.UNAVAILABLE.name
    return SERVING if status == http.HTTPStatus.OK else f"HTTP {status}"


def _channel(
    target: str, ca: Path | None, certificate: Path | None, key: Path | None, *, tls: bool, timeout_s: float
) -> grpc.Channel:
    if not tls:
        return grpc.insecure_channel(target)
    options: tuple[tuple[str, str], ...] = ()
    if ca is not None:
        roots = ca.read_bytes()
    elif target.startswith(_LOOPBACK):
        seen = certificate_seen(target, timeout_s=timeout_s)
        roots, options = seen.pem, (("grpc.ssl_target_name_override", seen.name),)
    else:
        raise ConfigError(
            f"--ca: expected the certificates that sign the server's, since {target} is another machine's"
        )
    credentials = grpc.ssl_channel_credentials(
        roots, key.read_bytes() if key else None, certificate.read_bytes() if certificate else None
    )
    return grpc.secure_channel(target, credentials, options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="healthcheck", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="?", metavar="HOST:PORT", help="the server; that of the settings if left out")
    parser.add_argument("--service", default="", metavar="NAME", help="a model or a service instead of the whole")
    parser.add_argument("--tls", action="store_true", help="encrypt; on loopback any certificate will do")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="encrypt, and believe what these certificates sign")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="the prober's own, for mutual TLS")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key")
    parser.add_argument("--http", action="store_true", help="ask the HTTP port for /readyz instead")
    parser.add_argument("--timeout-s", type=float, default=TIMEOUT_S, metavar="SECONDS", help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.http and (arguments.service or arguments.tls or arguments.ca or arguments.certificate):
        parser.error("--http asks for the whole server, without encryption; leave the other options out")
    if (arguments.certificate is None) != (arguments.key is None):
        parser.error("--certificate and --key come together")
    return arguments


def main() -> int:
    """Print the health of the server named on the command line and return the exit code."""
    arguments = _arguments()
    try:
        health = _ask(arguments)
    except ConfigError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{arguments.target}: {health}\n")
    return 0 if health == SERVING else 1


def _ask(arguments: argparse.Namespace) -> str:
    tls = arguments.tls
    if arguments.target is None:
        config = load_config(config_file(None, os.environ), {}, os.environ)
        tls = tls or config.tls_certificate is not None
        host, port = (config.http_host, config.http_port) if arguments.http else (config.host, config.port)
        arguments.target = f"{_reachable(host)}:{port}"
    if arguments.http:
        return check_http(arguments.target, timeout_s=arguments.timeout_s)
    return check(
        arguments.target,
        service=arguments.service,
        ca=arguments.ca,
        certificate=arguments.certificate,
        key=arguments.key,
        tls=tls,
        timeout_s=arguments.timeout_s,
    )


def _reachable(host: str) -> str:
    """Where to ask a server that listens on an address; one that listens everywhere does so on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}.get(host, host).strip("[]")
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
