"""What can go wrong between a request and its answer.

request message -> *decode* -> arrays -> *find the model* -> *lift* -> arrays -> *encode* -> response message

A request that cannot be decoded is a `RequestError`. A model that does not exist is the library's `ModelNotFoundError`,
one that is still loading a `ModelNotReadyError`. `pose_mdn_server.status` turns them into gRPC statuses.
"""

from dataclasses import dataclass

from pose_mdn.errors import InputError, PoseMDNError


@dataclass(frozen=True)
class FieldViolation:
    """One thing that is wrong with a request.

    Attributes:
        field: Path of the request field, for example "camera.intrinsics".
        description: Expected, got, what to do.
    """

    field: str
    description: str


class RequestError(InputError):
    """A request was refused.

    Attributes:
        violations: Everything that is wrong with it, in the order of its fields.
    """

    def __init__(self, violations: tuple[FieldViolation, ...]) -> None:
        super().__init__(
            "; ".join(f"{violation.field}: {violation.description}" for violation in violations),
            field=violations[0].field,
        )
        self.violations = violations


class ServerError(PoseMDNError):
    """The service could not answer, through no fault of the request."""


class StartupError(ServerError):
    """A process of the server cannot start."""


class ModelNotReadyError(ServerError):
    """A model is still being loaded."""


class OverloadedError(ServerError):
    """The server is too busy for this now.

    Attributes:
        retry_after_s: When to try again.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueFullError(OverloadedError):
    """As many poses wait as may wait."""


class QuotaExceededError(OverloadedError):
    """A client asks for more than its quota."""


class TooManyStreamsError(OverloadedError):
    """All streams that a server serves at the same time are taken."""


class DrainingError(OverloadedError):
    """The server is stopping and takes no new calls."""


class UnauthenticatedError(ServerError):
    """Nobody knows who calls, and the server answers only those it knows."""


class PermissionDeniedError(ServerError):
    """This client may not do this."""


class NotOfferedError(ServerError):
    """There is no such method here, or it was closed."""


class NotServedError(ServerError):
    """There is no service or model of that name whose health could be told."""


class OverdueError(ServerError):
    """The deadline passed before the model ran."""


class CallerGoneError(ServerError):
    """The caller cancelled."""


class ServerUnavailableError(ServerError):
    """A client reached no server, or got no answer in time."""
