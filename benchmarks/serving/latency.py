"""How long a Python caller waits for one pose, one call at a time, beside ONNX Runtime alone in the same run.

    python benchmarks/serving/latency.py [--rounds 5] [--seconds 5] [--json results.json]

The server runs on one core, the caller on another; ONNX Runtime alone has its turns on the server's core. "stub" sends
prepared bytes and takes bytes: what the network and gRPC cost. "client" is PoseLiftingClient with numpy in and out.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from prepared_requests import INFER, LIFT, infer_message, lift_message, people
from raw_onnx import raw_onnx
from real_client import channel
from report import heading, markdown, put_into_page, write_json
from served import Served, pose_mdn

from pose_mdn_server.client import PoseLiftingClient

COLUMNS = ("one pose", "p50 ms", "p99 ms", "p99.9 ms", "p50 above raw, ms", "p99 above raw, ms", "calls/s")
RAW = "ONNX Runtime alone"


def times_ms(task: Callable[[], object], seconds: float) -> np.ndarray:
    """Wall time of each call, over so long, after some that do not count."""
    for _ in range(50):
        task()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        task()
        times.append(time.perf_counter() - began)
    return 1e3 * np.array(times)


@contextmanager
def callers(served: Served) -> Iterator[dict[str, Callable[[], object]]]:
    """Ways to ask for one pose."""
    feed = people(1, seed=1)
    keypoints, confidence, matrix = feed["keypoints_px"], feed["confidence"], feed["intrinsics"][0]
    infer_bytes, lift_bytes = infer_message(feed), lift_message(feed)
    with channel(served.address) as connection, PoseLiftingClient(served.address) as client:
        infer, lift = connection.unary_unary(INFER), connection.unary_unary(LIFT)
        yield {
            "ModelInfer, stub": lambda: infer(infer_bytes),
            "Lift, stub": lambda: lift(lift_bytes),
            "Lift, client": lambda: client.lift(keypoints, confidence, intrinsics=matrix),
        }


def one_round(seconds: float, server_core: int) -> dict[str, dict[str, float]]:
    """Percentiles of each way in a fresh server, and of ONNX Runtime before it."""
    with raw_onnx([server_core]) as raw:
        alone = raw.measure(1, seconds)
    found = {RAW: {"p50": alone.p50_ms, "p99": alone.p99_ms, "p999": alone.p999_ms, "rate": alone.poses_per_s}}
    with pose_mdn(workers=1, cores=[server_core]) as served, callers(served) as ways:
        for name, task in ways.items():
            times = times_ms(task, seconds)
            p50, p99, p999 = (float(value) for value in np.percentile(times, [50, 99, 99.9]))
            found[name] = {"p50": p50, "p99": p99, "p999": p999, "rate": 1e3 / float(times.mean())}
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Latency of one pose at a time for Python callers.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="Of each turn.")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path, help="File for all figures.")
    parser.add_argument("--page", type=Path, help="Document that gets the tables, in their place.")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.load_core})
    rounds = [one_round(options.seconds, options.server_core) for _ in range(options.rounds)]
    rows = []
    for name in rounds[0]:
        p50, p99, p999, rate = (
            statistics.median(one[name][key] for one in rounds) for key in ("p50", "p99", "p999", "rate")
        )
        above = [statistics.median(one[name][key] - one[RAW][key] for one in rounds) for key in ("p50", "p99")]
        rows.append([name, p50, p99, p999, *above, rate])
    text = f"{heading()}; medians of {options.rounds} rounds of {options.seconds:g} s\n\n{markdown(COLUMNS, rows)}"
    print(text)
    put_into_page(options.page, "latency", text)
    write_json(options.json, {"settings": vars(options), "rounds": rounds})


if __name__ == "__main__":
    main()
