"""Whether a server takes calls and answers them rightly."""

from functools import cache

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prepared_requests import Prepared, unary
from real_client import channel, sample

TIMEOUT_S = 10.0


@cache
def _questions() -> tuple[Prepared, Prepared]:
    return unary("infer", 1, seed=77), unary("lift", 3, seed=78)


def is_healthy(address: str, timeout_s: float = TIMEOUT_S) -> str:
    """Ask for its health and for two answers; what is wrong, empty if nothing is."""
    try:
        with channel(address) as connection:
            health = health_pb2_grpc.HealthStub(connection).Check(
                health_pb2.HealthCheckRequest(), timeout=timeout_s, wait_for_ready=True
            )
        if health.status != health_pb2.HealthCheckResponse.SERVING:
            return f"health {health.status}"
        for question in _questions():
            sample(address, question, timeout_s)
    except grpc.RpcError as error:
        return f"{error.code().name}: {error.details()}"
    except RuntimeError as error:
        return str(error)
    return ""
