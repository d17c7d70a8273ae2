"""The HTTP port in front of a server that somebody else runs."""

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

_ASK_S = 2.0


class DistantServer:
    """Asks a server over gRPC whether it is ready; it has no metrics to tell."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None = None, name: str = "") -> None:
        if credentials is None:
            self._channel = grpc.insecure_channel(target)
        else:
            options = (("grpc.ssl_target_name_override", name),) if name else ()
            self._channel = grpc.secure_channel(target, credentials, options)
        self._health = HealthStub(self._channel)

    def metrics(self, openmetrics: bool) -> tuple[bytes, str]:
        """No metrics."""
        if openmetrics:
            return b"# EOF\n", "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return b"", "text/plain; version=0.0.4; charset=utf-8"

    def readiness(self) -> dict[str, object]:
        """What the server's own health check says."""
        try:
            status = self._health.Check(HealthCheckRequest(), timeout=_ASK_S).status
        except grpc.RpcError as error:
            return {"ready": False, "reason": error.code().name}
        return {
            "ready": status == HealthCheckResponse.SERVING,
            "status": HealthCheckResponse.ServingStatus.Name(status),
        }
