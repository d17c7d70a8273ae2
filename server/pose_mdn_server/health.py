"""grpc.health.v1 and reflection: what load balancers and generic clients ask for."""

from collections.abc import Callable

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

Send = Callable[[health_pb2.HealthCheckResponse | None], None]


class EndableHealthServicer(health.HealthServicer):
    """Health whose watches can be ended; by themselves they would keep a stopping server until its time is up."""

    def __init__(self) -> None:
        super().__init__(experimental_non_blocking=True)
        self._watches: set[Send] = set()

    def Watch(
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: Send | None = None,
    ) -> None:
        """Tell the health now, and at every change."""
        if send_response_callback is not None:
            self._watches.add(send_response_callback)
            context.add_callback(lambda: self._watches.discard(send_response_callback))
        super().Watch(request, context, send_response_callback)

    def end_watches(self) -> None:
        """End every watch, after what it was told."""
        for send in tuple(self._watches):
            send(None)


class Health:
    """The health of the server as a whole ("") and of each service; all change together."""

    def __init__(self, service_names: tuple[str, ...]) -> None:
        self._names = ("", *service_names)
        self._servicer = EndableHealthServicer()
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

    def end_watches(self) -> None:
        """Nobody needs to wait for more news."""
        self._servicer.end_watches()

    def _set(self, status: int) -> None:
        for name in self._names:
            self._servicer.set(name, status)
