"""grpc.health.v1: what load balancers and probes ask for, for the server, each service and each model."""

from grpc_health.v1 import health_pb2 as pb

from pose_mdn_server.calls import Answers, Call, Method, StreamMethod, UnaryMethod
from pose_mdn_server.errors import NotServedError
from pose_mdn_server.health import HealthState

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["Health"].full_name

_STATUS = pb.HealthCheckResponse


class HealthService:
    """Tells what is served; `pose_mdn_server.health` knows."""

    def __init__(self, state: HealthState) -> None:
        self._state = state

    def methods(self) -> list[Method]:
        """What to serve."""
        decode = pb.HealthCheckRequest.FromString
        return [
            UnaryMethod(path=f"/{SERVICE_NAME}/Check", decode=decode, handle=self.check),
            StreamMethod(path=f"/{SERVICE_NAME}/Watch", decode=decode, open=self.watch),
        ]

    def check(self, request: pb.HealthCheckRequest, call: Call) -> pb.HealthCheckResponse:
        """The health of a service or model; of the whole server for an empty name."""
        serving = self._state.of(request.service)
        if serving is None:
            raise NotServedError(f"service: expected the name of a service or model, got {request.service[:64]!r}")
        return _encode(serving)

    def watch(self, call: Call, answers: Answers) -> "_Watch":
        """The health of a service, now and at every change."""
        return _Watch(self._state, answers)


class _Watch:
    """One watch. It lasts until the caller goes or the server ends it."""

    def __init__(self, state: HealthState, answers: Answers) -> None:
        self._state = state
        self._answers = answers
        self._name: str | None = None
        self._told: bool | None = None
        self._is_first = True

    def receive(self, message: pb.HealthCheckRequest) -> None:
        if self._name is None:
            self._name = message.service
            self._state.subscribe(self)

    def end(self) -> None:
        """One question is all there is; news may come for long."""

    def close(self) -> None:
        self._state.unsubscribe(self)

    def tell(self) -> None:
        """Say how it stands, if that has changed."""
        assert self._name is not None
        serving = self._state.of(self._name)
        if self._is_first or serving != self._told:
            self._is_first, self._told = False, serving
            self._answers.put(_encode(serving))

    def no_more(self) -> None:
        """The server is stopping."""
        self._answers.end()


def _encode(serving: bool | None) -> pb.HealthCheckResponse:
    if serving is None:
        return _STATUS(status=_STATUS.SERVICE_UNKNOWN)
    return _STATUS(status=_STATUS.SERVING if serving else _STATUS.NOT_SERVING)
