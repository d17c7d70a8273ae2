"""What becomes of every call while something goes wrong.

    python benchmarks/serving/faults.py [SCENARIO ...] [--seconds 12] [--minutes 30] [--json results.json]

Each scenario starts a server of its own and well-behaved clients in processes of their own, then does something bad.
Each answer is compared with ONNX Runtime's for exactly that request, so that an answer to somebody else is seen.
Nothing may be lost without a status, nothing may be wrong. Without names, all scenarios but the soak run.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import network_faults
import process_faults
import resource_faults
import soak
import tls_faults
from accounts import OUTCOME_COLUMNS, Outcome, outcome_row
from fault_setting import FaultSettings, Scenario
from report import heading, markdown, put_into_page, write_json

SCENARIOS: dict[str, Scenario] = {
    "none": process_faults.no_fault,
    "kill": process_faults.kill_worker,
    "kill-retry": process_faults.kill_worker_with_retries,
    "stop": process_faults.stop_worker,
    "sigterm": process_faults.sigterm,
    "swap": process_faults.model_swap,
    "clock": process_faults.clock_jump,
    "garbage": network_faults.garbage,
    "half-open": network_faults.half_open,
    "slow-streams": network_faults.slow_streams,
    "closed-windows": network_faults.closed_windows,
    "claim": network_faults.huge_claims,
    "certificates": tls_faults.certificate_rotation,
    "queue": resource_faults.queue_full,
    "disk": resource_faults.disk_full,
    "descriptors": resource_faults.descriptors_exhausted,
    "soak": soak.soak,
}


def run(names: list[str], settings: FaultSettings) -> list[Outcome]:
    """Run scenarios, each in turn; one that breaks down is a failure of its own."""
    outcomes = []
    for name in names:
        try:
            outcome = SCENARIOS[name](settings)
        except Exception as error:  # what a scenario did not foresee must not hide the others
            outcome = Outcome(scenario=name, failures=(f"{type(error).__name__}: {error}",))
        outcomes.append(outcome)
        print(markdown(OUTCOME_COLUMNS, [outcome_row(outcome)]).splitlines()[-1], flush=True)
    return outcomes


def main() -> None:
    """Run, print, write; exit code 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Faults under load, with an account of every call.")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--seconds", type=float, default=12.0, help="Of load for each scenario, about.")
    parser.add_argument("--minutes", type=float, default=30.0, help="Of the soak.")
    parser.add_argument("--processes", type=int, default=2, help="Client processes.")
    parser.add_argument("--threads", type=int, default=8, help="Calls under way in each of them.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="File for all figures.")
    parser.add_argument("--page", type=Path, help="Document that gets the tables, in their place.")
    options = parser.parse_args()
    settings = FaultSettings(
        seconds=options.seconds,
        minutes=options.minutes,
        processes=options.processes,
        threads=options.threads,
        seed=options.seed,
    )
    print(f"{heading()}\n")
    print(markdown(OUTCOME_COLUMNS, []), flush=True)
    outcomes = run(options.scenarios or [name for name in SCENARIOS if name != "soak"], settings)
    text = f"{heading()}\n\n{markdown(OUTCOME_COLUMNS, map(outcome_row, outcomes))}"
    put_into_page(options.page, "soak" if options.scenarios == ["soak"] else "faults", text)
    write_json(options.json, {"settings": vars(options), "outcomes": [asdict(outcome) for outcome in outcomes]})
    raise SystemExit(any(outcome.failures for outcome in outcomes))


if __name__ == "__main__":
    main()
