"""Our server beside other model servers, on the same graph, with the same bytes, on the same core.

    python benchmarks/serving/compare_peers.py --pytriton VENV --mlserver VENV [--rounds 5] [--json results.json]

`peers.py` says how the virtual environments are made. Of each peer several settings of its batching are tried first,
and for each number of calls in flight the best one is kept. Then rounds: ours, a peer, ours, the next peer. Each turn
starts a fresh server; a peer's answers must equal ONNX Runtime's. A ratio compares turns that followed each other.
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers import Peer, peer
from raw_onnx import RawOnnx, raw_onnx
from report import heading, markdown, put_into_page, write_json
from rounds import (
    COLUMNS,
    RAW_COLUMNS,
    RawRound,
    Turn,
    case,
    grouped,
    levels,
    measure_raw,
    raw_rows,
    table_row,
    take_turn,
)
from served import Served, pose_mdn

CASES = ("infer-1", "infer-1024")
Load = tuple[str, int]
Chosen = dict[Load, dict[str, object]]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Our server beside pytriton and MLServer.")
    parser.add_argument("--pytriton", type=Path, help="Virtual environment with nvidia-pytriton.")
    parser.add_argument("--mlserver", type=Path, help="Virtual environment with mlserver.")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--in-flight", nargs="+", type=int, default=[1, 8, 32, 128])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="Of each load, about.")
    parser.add_argument("--trial-seconds", type=float, default=2.0, help="Of each trial of a peer's settings.")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", type=Path, help="File for all figures.")
    parser.add_argument("--page", type=Path, help="Document that gets the tables, in their place.")
    return parser.parse_args()


def loads(options: argparse.Namespace) -> list[Load]:
    """Which calls, and how many in flight."""
    return [(name, level) for name in options.cases for level in levels(name, options.in_flight)]


@contextmanager
def ours(options: argparse.Namespace) -> Iterator[Served]:
    """Our server with one worker and its own settings as they come."""
    with pose_mdn(workers=1, cores=[options.server_core]) as served:
        yield served


def best_settings(rival: Peer, raw: RawRound, options: argparse.Namespace) -> tuple[Chosen, list[Turn]]:
    """Try a peer's settings; the fastest for each load, and all trials."""
    trials: dict[Load, list[tuple[float, dict[str, object]]]] = {load: [] for load in loads(options)}
    turns = []
    for setting in rival.settings:
        with rival.serve(setting, case("infer-1"), [options.server_core]) as served:
            for load in loads(options):
                turn = _turn(served, load, raw, options, number=-1, seconds=options.trial_seconds, setting=setting)
                trials[load].append((turn.load.rps, setting))
                turns.append(turn)
    return {load: max(found, key=lambda trial: trial[0])[1] for load, found in trials.items()}, turns


def _turn(
    served: Served,
    load: Load,
    raw: RawRound,
    options: argparse.Namespace,
    *,
    number: int,
    seconds: float,
    setting: dict[str, object] | None = None,
) -> Turn:
    return take_turn(
        served,
        *load,
        number=number,
        raw=raw,
        seconds=seconds,
        cores=[options.load_core],
        setting=json.dumps(setting or {}),
    )


def peer_round(rival: Peer, chosen: Chosen, number: int, raw: RawRound, options: argparse.Namespace) -> list[Turn]:
    """A peer under each load, with the settings that suit it."""
    turns = []
    for setting in rival.settings:
        suited = [load for load, best in chosen.items() if best == setting]
        if suited:
            with rival.serve(setting, case("infer-1"), [options.server_core]) as served:
                turns += [
                    _turn(served, load, raw, options, number=number, seconds=options.seconds, setting=setting)
                    for load in suited
                ]
    return turns


def our_round(number: int, raw: RawRound, options: argparse.Namespace) -> list[Turn]:
    """Our server under each load."""
    with ours(options) as served:
        return [_turn(served, load, raw, options, number=number, seconds=options.seconds) for load in loads(options)]


def ratio_rows(pairs: list[tuple[str, list[Turn], list[Turn]]]) -> list[list[object]]:
    """How many times a peer's throughput ours is: median over rounds, best against best, and processor time."""
    rows = []
    for rival in dict.fromkeys(name for name, _, _ in pairs):
        turns = [(mine, theirs) for name, mine, theirs in pairs if name == rival]
        for load in dict.fromkeys((turn.case, turn.in_flight) for _, theirs in turns for turn in theirs):
            both = [(_of(mine, load), _of(theirs, load)) for mine, theirs in turns]
            ratios = [mine.load.rps / theirs.load.rps for mine, theirs in both]
            best = max(mine.load.rps for mine, _ in both) / max(theirs.load.rps for _, theirs in both)
            cpu = statistics.median(theirs.load.cpu_us / mine.load.cpu_us for mine, theirs in both)
            rows.append([case(load[0]).name, rival, load[1], statistics.median(ratios), min(ratios), best, cpu])
    return rows


def _of(turns: list[Turn], load: Load) -> Turn:
    return next(turn for turn in turns if (turn.case, turn.in_flight) == load)


RATIO_COLUMNS = (
    "call", "peer", "in flight", "our throughput / its, median", "lowest", "best / best", "its CPU per request / ours",
)  # fmt: skip


def rounds_of(
    raw: RawOnnx, rivals: list[Peer], options: argparse.Namespace
) -> tuple[list[tuple[str, list[Turn], list[Turn]]], list[Turn]]:
    """Trials, then interleaved rounds: (peer, our turns, its turns) for each, and the trials."""
    best_batch = raw.best_batch(0.5)
    figures = measure_raw(raw, best_batch, 1.0)
    chosen, trials = {}, []
    for rival in rivals:
        chosen[rival.name], tried = best_settings(rival, figures, options)
        trials += tried
    pairs = []
    for number in range(options.rounds):
        for rival in rivals:
            figures = measure_raw(raw, best_batch, 1.0)
            mine = our_round(number, figures, options)
            pairs.append((rival.name, mine, peer_round(rival, chosen[rival.name], number, figures, options)))
    return pairs, trials


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    rivals = [peer(name, venv) for name in ("pytriton", "mlserver") if (venv := getattr(options, name)) is not None]
    if not rivals:
        raise SystemExit(
            "expected --pytriton VENV or --mlserver VENV or both, got neither; peers.py says how to make them"
        )
    with raw_onnx([options.server_core]) as raw:
        pairs, trials = rounds_of(raw, rivals, options)
    turns = [turn for _, mine, theirs in pairs for turn in (*mine, *theirs)]
    versions = {rival.name: rival.versions() for rival in rivals}
    text = "\n\n".join(
        (
            f"{heading()}; {options.rounds} rounds of {options.seconds:g} s; peers: {json.dumps(versions)}",
            markdown(RAW_COLUMNS, raw_rows([mine[0].raw for _, mine, _ in pairs])),
            markdown(COLUMNS, [table_row(group) for group in grouped(turns)]),
            markdown(RATIO_COLUMNS, ratio_rows(pairs)),
        )
    )
    print(text)
    put_into_page(options.page, "peers", text)
    write_json(
        options.json,
        {
            "settings": vars(options),
            "peers": versions,
            "trials": [turn.as_json() for turn in trials],
            "turns": [turn.as_json() for turn in turns],
        },
    )


if __name__ == "__main__":
    main()
