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


class ModelNotReadyError(ServerError):
    """A model is still being loaded."""


class TooManyStreamsError(ServerError):
    """All streams that a server serves at the same time are taken."""


class ServerUnavailableError(ServerError):
    """A client reached no server, or got no answer in time."""
