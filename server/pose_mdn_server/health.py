"""grpc.health.v1 and reflection: what load balancers and generic clients ask for."""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """The health of the server as a whole ("") and of each service; all change together."""

    def __init__(self, service_names: tuple[str, ...]) -> None:
        self._names = ("", *service_names)
        self._servicer = health.HealthServicer(experimental_non_blocking=True)
        self._set(_NOT_SERVING)
        self.is_serving = False

    def add_to(self, server: grpc.Server) -> None:
        """Serve health, and reflection of every service."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        reflection.enable_server_reflection((*self._names[1:], health.SERVICE_NAME, reflection.SERVICE_NAME), server)

    def start_serving(self) -> None:
        """Models are warm."""
        self.is_serving = True
        self._set(_SERVING)

    def start_draining(self) -> None:
        """No new calls, please; there is no way back."""
        self.is_serving = False
        self._servicer.enter_graceful_shutdown()

    def _set(self, status: int) -> None:
        for name in self._names:
            self._servicer.set(name, status)
