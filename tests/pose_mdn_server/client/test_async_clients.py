import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import pytest

from pose_mdn.errors import InputError, ModelNotFoundError
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn_server.client import (
    AsyncConnection,
    AsyncModelClient,
    AsyncPoseGenerationClient,
    AsyncPoseLiftingClient,
    ConnectionOptions,
    PoseGenerationClient,
    PoseLiftingClient,
)
from pose_mdn_server.errors import QueueFullError, ServerUnavailableError
from pose_mdn_server.server import PoseServer
from pose_mdn_server.status import to_status

NO_ANSWER_S = 20.0


def run(program: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(program(), NO_ANSWER_S))


def assert_equal(got: HypothesisSequence, expected: HypothesisSequence) -> None:
    np.testing.assert_array_equal(got.frame, expected.frame)
    np.testing.assert_array_equal(got.status, expected.status)
    np.testing.assert_allclose(got.means_m, expected.means_m, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(got.intrinsics, expected.intrinsics)


def test_each_awaited_call_gets_its_own_answer(
    server: PoseServer, client: PoseLiftingClient, people: FloatArray
) -> None:
    expected = [client.lift(person, image_size=(1000, 1000)) for person in people]

    async def program() -> list[HypothesisSequence]:
        async with AsyncPoseLiftingClient(server.address) as lifting:
            return await asyncio.gather(*(lifting.lift(people[i % 6], image_size=(1000, 1000)) for i in range(60)))

    for i, answer in enumerate(run(program)):
        assert_equal(answer, expected[i % 6])


def test_one_connection_serves_clients_of_several_services(server: PoseServer) -> None:
    async def program() -> None:
        async with AsyncConnection(server.address) as connection:
            assert (await AsyncModelClient(connection).get_model("mdn_lifter")).num_hypotheses > 1
            assert len(await AsyncModelClient(connection).list_models()) >= 4
            generator = AsyncPoseGenerationClient(connection, model="pose_cvae")
            poses, labels = await generator.sample(2, seed=3)
            with PoseGenerationClient(server.address, model="pose_cvae") as blocking:
                np.testing.assert_array_equal(poses, blocking.sample(2, seed=3)[0])
            assert len(labels) == 2
            latent = (await generator.encode(poses, label=labels[0])).mean
            assert (await generator.decode(latent, label=labels[0])).shape == poses.shape
            assert (await generator.score(poses, label=labels[0])).usual.shape == (2,)

    run(program)


def test_errors_are_those_of_the_blocking_client(server: PoseServer, people: FloatArray) -> None:
    async def program() -> None:
        async with AsyncPoseLiftingClient(server.address) as lifting:
            with pytest.raises(ModelNotFoundError, match="nobody"):
                await lifting.lift(people, model="nobody")
            with pytest.raises(InputError, match="positive focal lengths"):
                await lifting.lift(people, intrinsics=np.zeros((3, 3)))
        async with AsyncPoseLiftingClient("127.0.0.1:1", options=ConnectionOptions(attempts=1)) as nobody:
            with pytest.raises(ServerUnavailableError, match="pose-mdn serve"):
                await nobody.lift(people)

    run(program)


def test_a_recording_is_lifted_in_several_calls(
    server: PoseServer, client: PoseLiftingClient, clip: KeypointSequence
) -> None:
    film = replace(clip, image_size=None, intrinsics=None)
    told: list[int] = []

    async def program() -> HypothesisSequence:
        async with AsyncPoseLiftingClient(server.address) as lifting:
            return await lifting.lift_many(film, poses_per_call=30, on_progress=told.append)

    assert_equal(run(program), client.lift_sequence(film))
    assert sum(told) == len(film)
    assert set(told[:-1]) == {30}


def test_a_busy_server_is_asked_again(scripted: Any, clip: KeypointSequence) -> None:
    def refuse_then_fail(number: int, context: grpc.ServicerContext) -> None:
        error = QueueFullError("full", retry_after_s=0.01) if number < 3 else ModelNotFoundError("gone")
        context.abort_with_status(to_status(error, "id"))

    async def program(address: str) -> None:
        async with AsyncPoseLiftingClient(address, options=ConnectionOptions(attempts=1)) as lifting:
            with pytest.raises(ModelNotFoundError, match="gone"):
                await lifting.lift_many(clip.take(slice(0, 5)))

    with scripted(refuse_then_fail) as seen:
        run(lambda: program(seen.address))
    assert len(seen.peers) == 4


async def camera(clip: KeypointSequence, taken: list[int]) -> AsyncIterator[KeypointSequence]:
    """Never ends."""
    for index in itertools.count():
        taken.append(index)
        await asyncio.sleep(0)
        row = clip.take(slice(index % 50, index % 50 + 1))
        yield replace(row, frame=np.array([index]))


def test_a_stream_answers_in_order_and_its_source_waits_for_a_slow_reader(
    server: PoseServer, client: PoseLiftingClient, clip: KeypointSequence
) -> None:
    expected = client.lift_sequence(clip.take(slice(0, 12)))

    async def program() -> None:
        taken: list[int] = []
        async with AsyncPoseLiftingClient(server.address) as lifting:
            async with aclosing(lifting.lift_stream(camera(clip, taken), unanswered=3)) as answers:
                for index in range(12):
                    answer = await anext(answers)
                    assert answer.frame.tolist() == [index]
                    np.testing.assert_allclose(answer.means_m, expected.means_m[[index]], atol=1e-4)
                    assert len(taken) <= index + 1 + 4
            # The connection is free again.
            assert [member.calls for member in lifting.connection._opened.members] == [0] * 4

    run(program)


def test_a_smoothed_stream_gives_every_row_once(
    server: PoseServer, client: PoseLiftingClient, clip: KeypointSequence
) -> None:
    rows = [clip.take(slice(i, i + 1)) for i in range(20)]
    expected = HypothesisSequence.concatenate(list(client.lift_stream(rows, lag=4)))

    async def program() -> list[HypothesisSequence]:
        async with AsyncPoseLiftingClient(server.address) as lifting:
            return [answer async for answer in lifting.lift_stream(rows, lag=4)]

    assert_equal(HypothesisSequence.concatenate(run(program)), expected)


def test_what_the_source_raises_is_said(server: PoseServer, clip: KeypointSequence) -> None:
    async def unplugged() -> AsyncIterator[KeypointSequence]:
        yield clip.take(slice(0, 1))
        raise OSError("unplugged")

    async def program() -> None:
        async with AsyncPoseLiftingClient(server.address) as lifting:
            with pytest.raises(OSError, match="unplugged"):
                async for _ in lifting.lift_stream(unplugged()):
                    pass
            with pytest.raises(ModelNotFoundError, match="nobody"):
                async for _ in lifting.lift_stream([clip.take(slice(0, 1))], model="nobody"):
                    pass

    run(program)


def test_a_cancelled_task_cancels_its_call(scripted: Any, people: FloatArray) -> None:
    async def program(address: str, arrived: asyncio.Event, gone: asyncio.Event) -> None:
        async with AsyncPoseLiftingClient(address) as lifting:
            task = asyncio.ensure_future(lifting.lift(people))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone.wait()

    async def with_events() -> None:
        loop, arrived, gone = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def hang(number: int, context: grpc.ServicerContext) -> None:
            context.add_callback(lambda: loop.call_soon_threadsafe(gone.set))
            loop.call_soon_threadsafe(arrived.set)

            import time  # noqa: PLC0415

            until = time.monotonic() + NO_ANSWER_S
            while context.is_active() and time.monotonic() < until:
                time.sleep(0.005)

        with scripted(hang) as seen:
            await program(seen.address, arrived, gone)

    run(with_events)
