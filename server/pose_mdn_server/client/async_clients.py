"""Clients for asyncio. Methods and arguments are those of the blocking clients; what those return is awaited here."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc

from pose_mdn.geometry.body import KnownBody
from pose_mdn.inference.pose_prior import DEFAULT_PRIOR
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client.async_connection import AsyncConnection
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.client.exchanges import fusion, generation, lifting, models, reprojection
from pose_mdn_server.client.exchanges.live_lifting import DEFAULT_UNANSWERED, LiveLifting
from pose_mdn_server.client.options import DEFAULT_TARGET, ConnectionOptions
from pose_mdn_server.client.recordings import DEFAULT_POSES_PER_CALL, RecordingSettings
from pose_mdn_server.client.service_client import AsyncServiceClient, awaitable, show_signature
from pose_mdn_server.client.several_calls import as_async, lift_each_async
from pose_mdn_server.codec.methods import LIFT_STREAM
from pose_mdn_server.status import from_rpc_error

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class AsyncModelClient(AsyncServiceClient):
    """Asks which models there are."""

    list_models = awaitable(models.list_models)
    get_model = awaitable(models.get_model)


class AsyncPoseLiftingClient(AsyncServiceClient):
    """Lifts poses; checks and fuses what was lifted. Arguments of its making as of `AsyncServiceClient`."""

    lift = awaitable(lifting.lift)
    lift_sequence = awaitable(lifting.lift_sequence)
    check_reprojection = awaitable(reprojection.check_reprojection)
    fuse_views = awaitable(fusion.fuse_views)

    async def lift_many(
        self,
        sequence: KeypointSequence,
        *,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        num_hypotheses: int | None = None,
        seed: int = 0,
        poses_per_call: int = DEFAULT_POSES_PER_CALL,
        in_flight: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> HypothesisSequence:
        """Lift a recording of any length, in several calls; as of `PoseLiftingClient.lift_many`."""
        each = self.lift_each(
            [sequence],
            model=model,
            body=body,
            num_hypotheses=num_hypotheses,
            seed=seed,
            poses_per_call=poses_per_call,
            in_flight=in_flight,
            on_progress=on_progress,
        )
        async with aclosing(each):
            return await anext(each)

    def lift_each(
        self,
        sequences: Iterable[KeypointSequence] | AsyncIterable[KeypointSequence],
        *,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        num_hypotheses: int | None = None,
        seed: int = 0,
        poses_per_call: int = DEFAULT_POSES_PER_CALL,
        in_flight: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> AsyncGenerator[HypothesisSequence, None]:
        """Lift recordings, each as `lift_many` does; answers come in order, while calls of the next are under way."""
        settings = RecordingSettings(
            model=model, body=body, num_hypotheses=num_hypotheses, seed=seed, poses_per_call=poses_per_call
        )
        return lift_each_async(self.connection, sequences, settings, in_flight=in_flight, on_progress=on_progress)

    async def lift_stream(
        self,
        sequences: Iterable[KeypointSequence] | AsyncIterable[KeypointSequence],
        *,
        lag: int | None = None,
        follow_people: bool = False,
        model: str = "mdn_lifter",
        body: KnownBody | None = None,
        unanswered: int = DEFAULT_UNANSWERED,
    ) -> AsyncGenerator[HypothesisSequence, None]:
        """Lift frames as they are seen, over one call; arguments and errors as of `PoseLiftingClient.lift_stream`.

        Sequences are taken as the server takes them, and no more than `unanswered` ahead of the answers. Who leaves the
        loop early closes the generator (`contextlib.aclosing`), which ends the call.
        """
        live = LiveLifting(model=model, body=body, lag=lag, follow_people=follow_people)
        free = asyncio.Semaphore(unanswered)
        async with self.connection.stream(LIFT_STREAM, _messages(sequences, live, free)) as answers:
            try:
                async for answer in answers:
                    rows, answers_a_sequence = live.read(answer)
                    if answers_a_sequence:
                        free.release()
                    if rows is not None:
                        yield rows
            except (grpc.RpcError, asyncio.CancelledError) as error:
                # gRPC reads sequences in a task of its own and says no more of what went wrong there than that it did.
                if live.failure is not None:
                    raise live.failure from None
                if isinstance(error, grpc.RpcError):
                    raise from_rpc_error(error, self.target) from error
                raise


async def _messages(
    sequences: Iterable[KeypointSequence] | AsyncIterable[KeypointSequence], live: LiveLifting, free: asyncio.Semaphore
) -> AsyncIterator[Any]:
    try:
        async with aclosing(as_async(sequences)) as source:
            async for sequence in source:
                await free.acquire()
                for message in live.messages(sequence):
                    yield message
    except Exception as error:
        live.failure = error
        raise


def _of_model(
    build: Callable[Concatenate[str, Parameters], Exchange[Answer]],
) -> "Callable[Concatenate[AsyncPoseGenerationClient, Parameters], Awaitable[Answer]]":
    """As `awaitable`, of the client's model."""

    @wraps(build)
    async def method(
        self: "AsyncPoseGenerationClient", /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Answer:
        return await self.connection.call(build(self.model, *args, **kwargs))

    show_signature(method, build, leave_out=1)
    return method


class AsyncPoseGenerationClient(AsyncServiceClient):
    """Asks priors over poses; methods as of `PoseGenerationClient`.

    Args:
        target: As of `AsyncServiceClient`.
        model: "NAME" for its newest version, or "NAME/VERSION".
        timeout_s: As of `AsyncServiceClient`.
        options: As of `AsyncServiceClient`.
    """

    def __init__(
        self,
        target: str | AsyncConnection = DEFAULT_TARGET,
        *,
        model: str = DEFAULT_PRIOR,
        timeout_s: float | None = None,
        options: ConnectionOptions | None = None,
    ) -> None:
        super().__init__(target, timeout_s=timeout_s, options=options)
        self.model = model

    sample = _of_model(generation.sample)
    encode = _of_model(generation.encode)
    decode = _of_model(generation.decode)
    score = _of_model(generation.score)
