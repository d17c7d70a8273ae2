"""Live cameras: many streams that send a frame at each tick of their clocks, and how long each answer takes.

    python benchmarks/serving/cameras.py [--cameras 16 --fps 30] [--poses 2] [--json results.json]

h2load cannot pace messages within a stream, so the cameras are grpc.aio clients in one process on the load's core;
their own cost is in the times. A frame's time runs from the tick at which it was due, so that a late sender shows.
Every answer is compared with ONNX Runtime's afterwards.
"""

import argparse
import asyncio
import os
import time
from pathlib import Path

import grpc
import numpy as np
from prepared_requests import (
    LIFT_STREAM,
    TOLERANCE,
    Arrays,
    difference,
    expected,
    people,
    stream_answer,
    stream_messages,
)
from process_tree import cpu_s
from real_client import OPTIONS
from report import heading, markdown, put_into_page, write_json
from served import pose_mdn

FRAMES = 50
COLUMNS = (
    "cameras x fps x poses", "frames sent", "answered right", "wrong or missing", "p50 ms", "p99 ms", "p99.9 ms",
    "later than the next frame", "CPU µs/frame",
)  # fmt: skip
Filmed = tuple[list[float], list[bytes]]


class Film:
    """Frames that a camera sends over and over, and their right answers."""

    def __init__(self, poses: int, seed: int) -> None:
        feed = people(poses * FRAMES, seed)
        answer = expected(feed)
        self.messages = stream_messages(feed, poses)
        self.answers: list[Arrays] = [
            {name: array[start : start + poses] for name, array in answer.items()}
            for start in range(0, poses * FRAMES, poses)
        ]

    def right(self, answers: list[bytes]) -> int:
        """How many answers are right; each frame is looked at once, repetitions are compared with their first."""
        firsts = [stream_answer(message) for message in answers[:FRAMES]]
        good = [difference(found, wanted) <= TOLERANCE for found, wanted in zip(firsts, self.answers, strict=False)]
        rest = [
            good[index % FRAMES] and difference(stream_answer(message), firsts[index % FRAMES]) <= TOLERANCE
            for index, message in enumerate(answers[FRAMES:], start=FRAMES)
        ]
        return sum(good) + sum(rest)


async def film(address: str, own: Film, options: argparse.Namespace, start: float) -> Filmed:
    """One camera: times from due to answered, seconds, and the answers."""
    due: list[float] = []
    times: list[float] = []
    answers: list[bytes] = []

    async def send(call: grpc.aio.StreamStreamCall) -> None:
        await call.write(own.messages[0])
        for number in range(round(options.seconds * options.fps)):
            at = start + number / options.fps
            await asyncio.sleep(max(at - time.perf_counter(), 0))
            due.append(at)
            await call.write(own.messages[1 + number % FRAMES])
        await call.done_writing()

    async with grpc.aio.insecure_channel(address, options=OPTIONS) as connection:
        call = connection.stream_stream(LIFT_STREAM)()
        sending = asyncio.create_task(send(call))
        async for message in call:
            times.append(time.perf_counter() - due[len(times)])
            answers.append(message)
        await sending
    return times, answers


async def all_films(
    address: str, films: list[Film], options: argparse.Namespace
) -> list[tuple[list[float], list[bytes]]]:
    """Every camera at once, their ticks spread over the time of a frame."""
    start = time.perf_counter() + 1.0
    offsets = [index / len(films) / options.fps for index in range(len(films))]
    return await asyncio.gather(
        *(film(address, own, options, start + offset) for own, offset in zip(films, offsets, strict=True))
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Live cameras over LiftStream.")
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--poses", type=int, default=2, help="People in each frame.")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path, help="File for all figures.")
    parser.add_argument("--page", type=Path, help="Document that gets the table, in its place.")
    return parser.parse_args()


def main() -> None:
    """Film, print, write."""
    options = arguments()
    os.sched_setaffinity(0, {options.load_core})
    films = [Film(options.poses, seed) for seed in range(options.cameras)]
    with pose_mdn(workers=options.workers, cores=[options.server_core]) as served:
        before = cpu_s(served.pid)
        found = asyncio.run(all_films(served.address, films, options))
        used_s = cpu_s(served.pid) - before
    sent = options.cameras * round(options.seconds * options.fps)
    right = sum(own.right(answers) for own, (_, answers) in zip(films, found, strict=True))
    times_ms = 1e3 * np.concatenate([times for times, _ in found])
    late = int((times_ms > 1e3 / options.fps).sum())
    percentiles = [float(value) for value in np.percentile(times_ms, [50, 99, 99.9])]
    name = f"{options.cameras} x {options.fps:g} x {options.poses}"
    row = [name, sent, right, sent - right, *percentiles, late, 1e6 * used_s / sent]
    text = f"{heading()}\n\n{markdown(COLUMNS, [row])}"
    print(text)
    put_into_page(options.page, "cameras", text)
    write_json(options.json, {"settings": vars(options), "row": dict(zip(COLUMNS, row, strict=True))})


if __name__ == "__main__":
    main()
