"""Requests that end with an error."""

import grpc


class HttpError(Exception):
    """A request was refused before there was a call.

    Attributes:
        status: Status of HTTP.
        text: Expected, got, what to do; one line.
        headers: Headers that go with the status.
    """

    def __init__(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class MalformedRequestError(HttpError):
    """What came is not a request, or one on whose end two readers could disagree.

    Nothing that follows on its connection can be trusted, so that is closed.
    """


class RefusedCallError(Exception):
    """A call was refused here, in the words of its own protocol.

    Attributes:
        code: Status of gRPC.
        text: Expected, got, what to do; one line.
    """

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class ConnectionGoneError(Exception):
    """The other side closed the connection, or was too slow."""
