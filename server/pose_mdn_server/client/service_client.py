"""What clients of all services share: a connection, and how a request becomes a method."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from inspect import Parameter, signature
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from pose_mdn_server.client.async_connection import AsyncConnection
from pose_mdn_server.client.connection import Connection
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.client.options import DEFAULT_TARGET, ConnectionOptions

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class ServiceClient:
    """A client of one or several services. Close it, or use it in a `with` block.

    Args:
        target: HOST:PORT of the server; or a connection, which stays open when this client is closed.
        timeout_s: Longest wait for an answer, in place of the one of the options.
        options: How to connect to HOST:PORT.
    """

    def __init__(
        self,
        target: str | Connection = DEFAULT_TARGET,
        *,
        timeout_s: float | None = None,
        options: ConnectionOptions | None = None,
    ) -> None:
        self._owns_connection = isinstance(target, str)
        self.connection = target if isinstance(target, Connection) else Connection(target, _timed(options, timeout_s))

    @property
    def target(self) -> str:
        """Where the server is."""
        return self.connection.target

    def close(self) -> None:
        """Close the connection, unless it was given."""
        if self._owns_connection:
            self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncServiceClient:
    """A client of one or several services, for asyncio. Close it, or use it in an `async with` block.

    Args:
        target: HOST:PORT of the server; or a connection, which stays open when this client is closed.
        timeout_s: Longest wait for an answer, in place of the one of the options.
        options: How to connect to HOST:PORT.
    """

    def __init__(
        self,
        target: str | AsyncConnection = DEFAULT_TARGET,
        *,
        timeout_s: float | None = None,
        options: ConnectionOptions | None = None,
    ) -> None:
        self._owns_connection = isinstance(target, str)
        self.connection = (
            target if isinstance(target, AsyncConnection) else AsyncConnection(target, _timed(options, timeout_s))
        )

    @property
    def target(self) -> str:
        """Where the server is."""
        return self.connection.target

    async def close(self) -> None:
        """Close the connection, unless it was given."""
        if self._owns_connection:
            await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def blocking(
    build: Callable[Parameters, Exchange[Answer]],
) -> Callable[Concatenate[ServiceClient, Parameters], Answer]:
    """A method that takes what `build` takes, sends what it gives, and returns the answer."""

    @wraps(build)
    def method(self: ServiceClient, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        return self.connection.call(build(*args, **kwargs))

    show_signature(method, build)
    return method


def awaitable(
    build: Callable[Parameters, Exchange[Answer]],
) -> Callable[Concatenate[AsyncServiceClient, Parameters], Awaitable[Answer]]:
    """As `blocking`, to be awaited."""

    @wraps(build)
    async def method(self: AsyncServiceClient, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        return await self.connection.call(build(*args, **kwargs))

    show_signature(method, build)
    return method


def show_signature(method: Any, build: Callable[..., Exchange[Any]], *, leave_out: int = 0) -> None:
    """Show `help` and editors the signature that callers see; without the first `leave_out` arguments of `build`."""
    shown = signature(build)
    itself = Parameter("self", Parameter.POSITIONAL_ONLY)
    [answer] = shown.return_annotation.__args__
    parameters = [itself, *list(shown.parameters.values())[leave_out:]]
    method.__signature__ = shown.replace(parameters=parameters, return_annotation=answer)


def _timed(options: ConnectionOptions | None, timeout_s: float | None) -> ConnectionOptions:
    options = options or ConnectionOptions()
    return options if timeout_s is None else replace(options, timeout_s=timeout_s)
