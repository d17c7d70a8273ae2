"""One worker against two, or more: throughput and processor time per request, in turns.

    python benchmarks/serving/scaling.py [--server-cores 0 1] [--load-cores 0 1] [--json results.json]

Twice the throughput shows only where the load has cores of its own. On two cores that server and load share, what can
be seen is whether a request costs more processor time with two workers than with one; both columns are always shown.
"""

import argparse
import statistics
from pathlib import Path

from h2load import Load, run
from process_tree import cpu_s
from report import heading, markdown, put_into_page, write_json
from rounds import case
from served import pose_mdn, serve_options

CALLS = ("infer-1", "lift-1")
COLUMNS = (
    "call", "workers", "requests/s, median", "best", "CPU µs/request", "p50 ms", "p99 ms", "not OK",
    "smallest share of a worker", "throughput / one worker's", "CPU per request / one worker's",
)  # fmt: skip


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="One worker against several.")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--in-flight", type=int, default=128)
    parser.add_argument("--connections", type=int, default=32, help="The kernel deals them out to workers at random.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="Of each load, about.")
    parser.add_argument("--server-cores", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--load-cores", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--json", type=Path, help="File for all figures.")
    parser.add_argument("--page", type=Path, help="Document that gets the tables, in their place.")
    return parser.parse_args()


def one_turn(workers: int, options: argparse.Namespace) -> dict[str, tuple[Load, float]]:
    """Each call's load on a fresh server, and the smallest share of the work that any worker did."""
    found = {}
    with pose_mdn(workers=workers, cores=options.server_cores) as served:
        for name in CALLS:
            before = {pid: cpu_s(pid) for pid in served.workers()}
            load = run(
                served,
                case(name),
                in_flight=options.in_flight,
                seconds=options.seconds,
                cores=options.load_cores,
                max_connections=options.connections,
            )
            used = [cpu_s(pid) - start for pid, start in before.items()]
            found[name] = load, min(used) / max(sum(used), 1e-9)
    return found


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    if "--workers" not in serve_options():
        raise SystemExit("expected a server with --workers, got one that has a single process")
    rounds = [{workers: one_turn(workers, options) for workers in options.workers} for _ in range(options.rounds)]
    rows = []
    for name in CALLS:
        for workers in options.workers:
            loads = [one[workers][name][0] for one in rounds]
            single = [one[options.workers[0]][name][0] for one in rounds]
            pairs = list(zip(loads, single, strict=True))
            medians = [
                statistics.median(getattr(load, key) for load in loads) for key in ("rps", "cpu_us", "p50_ms", "p99_ms")
            ]
            rows.append(
                [
                    case(name).name, workers, medians[0], max(load.rps for load in loads), *medians[1:],
                    sum(load.errors for load in loads), min(one[workers][name][1] for one in rounds),
                    statistics.median(load.rps / alone.rps for load, alone in pairs),
                    statistics.median(load.cpu_us / alone.cpu_us for load, alone in pairs),
                ]
            )  # fmt: skip
    setting = (
        f"{options.rounds} rounds of {options.seconds:g} s, {options.in_flight} in flight, "
        f"server on cores {options.server_cores}, load on {options.load_cores}"
    )
    text = f"{heading()}; {setting}\n\n{markdown(COLUMNS, rows)}"
    print(text)
    put_into_page(options.page, "scaling", text)
    write_json(options.json, {"settings": vars(options), "rounds": rounds})


if __name__ == "__main__":
    main()
