"""A container's health probe: one `grpc.health.v1` call, one line, an exit code.

Usage: `python -m pose_mdn_server.healthcheck [HOST:PORT]`. Exit code 0 means that the server takes requests.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

DEFAULT_TARGET = "127.0.0.1:8001"
TIMEOUT_S = 3.0


def check(target: str = DEFAULT_TARGET, *, timeout_s: float = TIMEOUT_S) -> str:
    """Ask the server as a whole for its health.

    Args:
        target: Address, "host:port".
        timeout_s: How long to wait for the answer.

    Returns:
        "SERVING", or what is in the way: another serving status of the protocol, or the name of a gRPC status code.
    """
    with grpc.insecure_channel(target) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def main() -> int:
    """Print the health of the server named on the command line and return the exit code."""
    target = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_TARGET
    health = check(target)
    sys.stdout.write(f"{target}: {health}\n")
    return 0 if health == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
