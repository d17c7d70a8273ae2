"""Several calls under way at the same time, whose answers come out in order."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from pose_mdn.config.ranges import require
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn_server.client.async_connection import AsyncConnection
from pose_mdn_server.client.connection import BULK, Connection
from pose_mdn_server.client.exchange import Exchange
from pose_mdn_server.client.recordings import CALLS_PER_CHANNEL, Patience, Recording, RecordingSettings
from pose_mdn_server.errors import OverloadedError

OnProgress = Callable[[int], None]


class _Parts:
    """Answers of recordings that are not complete yet."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._answers: list[HypothesisSequence] = []

    def add(self, recording: Recording, answer: HypothesisSequence) -> HypothesisSequence | None:
        """Take in the next answer; gives the whole recording with the last one."""
        self._answers.append(answer)
        if self._on_progress is not None:
            self._on_progress(len(answer))
        if len(self._answers) < recording.num_calls:
            return None
        answers, self._answers = self._answers, []
        return recording.join(answers)


def lift_each(
    connection: Connection,
    sequences: Iterable[KeypointSequence],
    settings: RecordingSettings,
    *,
    in_flight: int | None,
    on_progress: OnProgress | None,
) -> Generator[HypothesisSequence, None, None]:
    """Lift recordings; see `PoseLiftingClient.lift_each`."""
    most = _most_calls(in_flight, connection.options.channels)
    parts = _Parts(on_progress)
    waiting: deque[tuple[Recording, Future[HypothesisSequence]]] = deque()
    pool = ThreadPoolExecutor(most, thread_name_prefix="pose-mdn-client")
    try:
        for sequence in sequences:
            recording = Recording(sequence, settings)
            for exchange in recording.exchanges():
                if len(waiting) == most:
                    done, answer = waiting.popleft()
                    if (whole := parts.add(done, answer.result())) is not None:
                        yield whole
                waiting.append((recording, pool.submit(_call_patiently, connection, exchange)))
        while waiting:
            done, answer = waiting.popleft()
            if (whole := parts.add(done, answer.result())) is not None:
                yield whole
    finally:
        # Calls that have not begun never will; those under way end by themselves and nobody takes their answers.
        pool.shutdown(wait=False, cancel_futures=True)


def _call_patiently(connection: Connection, exchange: Exchange[HypothesisSequence]) -> HypothesisSequence:
    patience = Patience()
    while True:
        try:
            return connection.call(exchange, BULK)
        except OverloadedError as refused:
            time.sleep(patience.delay_s(refused))


async def lift_each_async(
    connection: AsyncConnection,
    sequences: Iterable[KeypointSequence] | AsyncIterable[KeypointSequence],
    settings: RecordingSettings,
    *,
    in_flight: int | None,
    on_progress: OnProgress | None,
) -> AsyncGenerator[HypothesisSequence, None]:
    """Lift recordings; see `AsyncPoseLiftingClient.lift_each`."""
    most = _most_calls(in_flight, connection.options.channels)
    parts = _Parts(on_progress)
    waiting: deque[tuple[Recording, asyncio.Task[HypothesisSequence]]] = deque()
    try:
        async for sequence in as_async(sequences):
            recording = Recording(sequence, settings)
            for exchange in recording.exchanges():
                if len(waiting) == most:
                    done, answer = waiting[0]
                    whole = parts.add(done, await answer)
                    waiting.popleft()
                    if whole is not None:
                        yield whole
                waiting.append((recording, asyncio.create_task(_await_patiently(connection, exchange))))
        while waiting:
            done, answer = waiting[0]
            whole = parts.add(done, await answer)
            waiting.popleft()
            if whole is not None:
                yield whole
    finally:
        for _, answer in waiting:
            answer.cancel()
        await asyncio.gather(*(answer for _, answer in waiting), return_exceptions=True)


async def _await_patiently(connection: AsyncConnection, exchange: Exchange[HypothesisSequence]) -> HypothesisSequence:
    patience = Patience()
    while True:
        try:
            return await connection.call(exchange, BULK)
        except OverloadedError as refused:
            await asyncio.sleep(patience.delay_s(refused))


async def as_async(
    sequences: Iterable[KeypointSequence] | AsyncIterable[KeypointSequence],
) -> AsyncGenerator[KeypointSequence, None]:
    """Iterate over either kind."""
    if isinstance(sequences, AsyncIterable):
        async for sequence in sequences:
            yield sequence
    else:
        for sequence in sequences:
            yield sequence


def _most_calls(in_flight: int | None, channels: int) -> int:
    most = CALLS_PER_CHANNEL * channels if in_flight is None else in_flight
    require(most >= 1, "in_flight", ">= 1", most)
    return most
