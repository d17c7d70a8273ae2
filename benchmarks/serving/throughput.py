"""What one worker on one core does, in each kind of call, as a share of ONNX Runtime alone in the same run.

    python benchmarks/serving/throughput.py [--rounds 5] [--seconds 5] [--json results.json]

The server with all its processes runs on one core, h2load on another. In each round ONNX Runtime alone takes its turn
on the server's core, then each load follows. Every answer is accounted for (h2load.py says how); samples before and
after each load are compared with ONNX Runtime's answers by a real client. A LiftStream is one request of h2load's that
holds many messages: all are sent as fast as the server takes them, and its p50 to p99.9 are those of whole streams.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from process_tree import threads_off_core
from raw_onnx import RawOnnx, raw_onnx
from report import heading, markdown, put_into_page, write_json
from rounds import (
    CASES,
    COLUMNS,
    RAW_COLUMNS,
    RawRound,
    Turn,
    grouped,
    levels,
    measure_raw,
    raw_rows,
    table_row,
    take_turn,
)
from served import pose_mdn


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Throughput and latency of one worker on one core.")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--in-flight", nargs="+", type=int, default=[1, 8, 32, 128])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="Of each load, about.")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path, help="File for all figures.")
    parser.add_argument("--page", type=Path, help="Document that gets the tables, in their place.")
    return parser.parse_args()


def one_round(raw: RawOnnx, best_batch: int, number: int, options: argparse.Namespace) -> list[Turn]:
    """ONNX Runtime alone, then a fresh server under each load."""
    figures = measure_raw(raw, best_batch, min(options.seconds, 2.0))
    with pose_mdn(workers=1, cores=[options.server_core]) as served:
        strays = threads_off_core(served.pid, {options.server_core})
        if strays:
            raise RuntimeError(f"expected every process of the server on core {options.server_core}, not {strays}")
        return [
            take_turn(
                served, name, level, number=number, raw=figures, seconds=options.seconds, cores=[options.load_core]
            )
            for name in options.cases
            for level in levels(name, options.in_flight)
        ]


def show(turns: Sequence[Turn], raws: Sequence[RawRound], options: argparse.Namespace) -> None:
    """Print tables and write figures."""
    text = "\n\n".join(
        (
            f"{heading()}; {options.rounds} rounds of {options.seconds:g} s",
            markdown(RAW_COLUMNS, raw_rows(raws)),
            markdown(COLUMNS, [table_row(group) for group in grouped(turns)]),
        )
    )
    print(text)
    put_into_page(options.page, "throughput", text)
    write_json(options.json, {"settings": vars(options), "turns": [turn.as_json() for turn in turns]})


def main() -> None:
    """Measure."""
    options = arguments()
    turns: list[Turn] = []
    raws: list[RawRound] = []
    with raw_onnx([options.server_core]) as raw:
        best_batch = raw.best_batch(0.5)
        for number in range(options.rounds):
            turns += one_round(raw, best_batch, number, options)
            raws.append(turns[-1].raw)
    show(turns, raws, options)


if __name__ == "__main__":
    main()
