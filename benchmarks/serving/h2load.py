"""Load by nghttp2's h2load, which sends the same gRPC body over and over; every answer is accounted for.

h2load knows HTTP statuses alone, and gRPC answers 200 whatever happens. An error comes without a message, though, so
that the bytes of data received equal the number of answers times the length of one answer only if every status was OK.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from prepared_requests import Prepared
from process_tree import cpu_s
from real_client import sample
from served import Served, pinned

WARM_UP_SHARE = 0.05
MIN_REQUESTS = 20
TIMEOUT_S = 600.0
HEADERS = ("content-type: application/grpc", "te: trailers")


@dataclass(frozen=True, kw_only=True)
class Load:
    """One run.

    Attributes:
        requests: How many were sent and, unless `errors` says otherwise, answered with status OK.
        errors: Those that were not.
        rps: Requests per second, without the warm-up.
        p50_ms: Median time from request to the end of the answer.
        p99_ms: And the 99th percentile.
        p999_ms: And the 99.9th.
        cpu_us: Processor time of the server's whole tree per request.
    """

    requests: int
    errors: int
    rps: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    cpu_us: float


def run(
    served: Served,
    prepared: Prepared,
    *,
    in_flight: int,
    seconds: float,
    cores: Sequence[int] | None,
    max_connections: int = 8,
) -> Load:
    """Load a server; samples with a real client before and after must be right.

    Args:
        served: Whom to load.
        prepared: What to send.
        in_flight: Calls under way at any time, over all connections.
        seconds: How long, about.
        cores: Where h2load runs.
        max_connections: How many connections share the calls.
    """
    answer = sample(served.address, prepared)
    connections = min(in_flight, max_connections)
    with tempfile.TemporaryDirectory(prefix="pose-mdn-h2load-") as folder:
        body, log = Path(folder) / "body", Path(folder) / "log"
        body.write_bytes(prepared.body)
        command = [
            *pinned(cores), "h2load", "-c", str(connections), "-m", str(in_flight // connections), "-d", str(body),
            *(part for header in HEADERS for part in ("-H", header)),
        ]  # fmt: skip
        url = f"http://{served.address}{prepared.method}"
        few = max(MIN_REQUESTS, 2 * in_flight)
        began = time.monotonic()
        _run([*command, "-n", str(few), url])
        rate = few / (time.monotonic() - began)
        requests = max(few, round(rate * seconds))
        before = cpu_s(served.pid)
        report = _run([*command, "-n", str(requests), f"--log-file={log}", url])
        used_s = cpu_s(served.pid) - before
        rows = np.loadtxt(log, ndmin=2)
    sample(served.address, prepared)
    return _account(report, rows, requests, answer.answer_bytes, used_s)


def _run(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if result.returncode:
        raise RuntimeError(f"h2load failed: {result.stderr or result.stdout}")
    return result.stdout


def _account(report: str, rows: np.ndarray, requests: int, answer_bytes: int, used_s: float) -> Load:
    data = _number(report, r"headers \(space savings [^)]*\), \S+ \((\d+)\) data")
    succeeded = _number(report, r"(\d+) succeeded")
    wrong_bytes = abs(data - requests * answer_bytes)
    # An error leaves at least one whole answer out; what is missing of the last one counts as one more.
    errors = max(requests - succeeded, -(-wrong_bytes // answer_bytes))
    rows = rows[np.argsort(rows[:, 0])][int(len(rows) * WARM_UP_SHARE) :]
    span_s = (np.max(rows[:, 0] + rows[:, 2]) - rows[0, 0]) / 1e6
    p50, p99, p999 = np.percentile(rows[:, 2] / 1e3, [50, 99, 99.9])
    return Load(
        requests=requests,
        errors=errors,
        rps=float(len(rows) / span_s),
        p50_ms=float(p50),
        p99_ms=float(p99),
        p999_ms=float(p999),
        cpu_us=1e6 * used_s / requests,
    )


def _number(report: str, pattern: str) -> int:
    found = re.search(pattern, report)
    if found is None:
        raise RuntimeError(f"h2load said nothing of {pattern!r}: {report}")
    return int(found[1])
