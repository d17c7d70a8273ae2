"""Well-behaved clients, in processes of their own, that keep calling while something goes wrong."""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import grpc
from accounts import Account, total
from fault_calls import Caller, Questions
from real_client import OPTIONS

RETRY_POLICY = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "2s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
QUICK_RECONNECT = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000))
FINISH_S = 90.0


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """What a client process does.

    Attributes:
        address: "HOST:PORT".
        kinds: Of calls, drawn at random: those of Questions, and stream, error.
        threads: Calls under way at any time.
        connections: Over which they go.
        seed: Of everything random.
        timeout_s: After so long without a status a call counts as lost.
        retry: Whether gRPC itself repeats calls that were UNAVAILABLE.
        ca: Certificate of who signed the server's, PEM; no TLS if absent.
    """

    address: str
    kinds: tuple[str, ...] = ("infer", "lift")
    threads: int = 8
    connections: int = 4
    seed: int = 0
    timeout_s: float = 30.0
    retry: bool = False
    ca: str | None = None


class RunningLoad:
    """Client processes that call until they are told to stop."""

    def __init__(self, processes: "Sequence[subprocess.Popen[str]]") -> None:
        self._processes = processes

    def finish(self) -> Account:
        """No new calls; wait for those under way; what became of all."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("stop\n")
            process.stdin.flush()
        return total(self._account(process) for process in self._processes)

    @staticmethod
    def _account(process: "subprocess.Popen[str]") -> Account:
        out, _ = process.communicate(timeout=FINISH_S)
        return Account(**json.loads(out.strip().splitlines()[-1]))


@contextmanager
def load(settings: LoadSettings, processes: int = 1) -> Iterator[RunningLoad]:
    """Clients that call; it begins when all are ready. Each process has a seed of its own."""
    with ExitStack() as stack:
        started = []
        for number in range(processes):
            own = replace(settings, seed=settings.seed + 1000 * number)
            process = subprocess.Popen(
                [sys.executable, __file__, json.dumps(asdict(own))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.kill)
            started.append(process)
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("a client did not start")
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        yield RunningLoad(started)


def _connect(settings: LoadSettings) -> grpc.Channel:
    options = [*OPTIONS, *QUICK_RECONNECT]
    if settings.retry:
        options += [("grpc.service_config", json.dumps(RETRY_POLICY)), ("grpc.enable_retries", 1)]
    if settings.ca is None:
        return grpc.insecure_channel(settings.address, options=options)
    credentials = grpc.ssl_channel_credentials(Path(settings.ca).read_bytes())
    return grpc.secure_channel(settings.address, credentials, options=options)


def _call_until(stop: threading.Event, caller: Caller) -> None:
    refused = 0
    while not stop.is_set():
        caller.call()
        # Who is refused waits a little, as any client should.
        now = sum(caller.account.refused.values())
        if now > refused:
            refused = now
            time.sleep(0.02)


def main() -> None:
    """Be one client process."""
    parser = argparse.ArgumentParser(description="One client process of the fault suite; started by faults.py.")
    parser.add_argument("settings", help="LoadSettings as JSON.")
    settings = LoadSettings(**json.loads(parser.parse_args().settings))
    connections = [_connect(settings) for _ in range(settings.connections)]
    questions = Questions(settings.kinds, settings.seed)
    callers = [
        Caller(connections, questions, seed=settings.seed + number, timeout_s=settings.timeout_s)
        for number in range(settings.threads)
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    stop = threading.Event()
    threads = [threading.Thread(target=_call_until, args=(stop, caller)) for caller in callers]
    for thread in threads:
        thread.start()
    sys.stdin.readline()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(asdict(total(caller.account for caller in callers))), flush=True)


if __name__ == "__main__":
    main()
