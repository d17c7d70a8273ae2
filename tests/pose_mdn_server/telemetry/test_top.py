import json
import math
import os
import pty
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from pose_mdn_server import cli_top
from pose_mdn_server.telemetry.activity import Activity, activity
from pose_mdn_server.telemetry.amounts import bytes_text, duration_text, rate_text, seconds_text, sparkline
from pose_mdn_server.telemetry.exposition import exposition
from pose_mdn_server.telemetry.families import SECONDS
from pose_mdn_server.telemetry.metrics import Metrics, merge
from pose_mdn_server.telemetry.quantiles import quantile
from pose_mdn_server.telemetry.shard import Histogram
from pose_mdn_server.telemetry.snapshots import Snapshot
from pose_mdn_server.telemetry.top_view import rows_shown, share_lines, short_method, top_view

LIFT = "/pose_mdn.v1.PoseLiftingService/Lift"
STREAM = "/pose_mdn.v1.PoseLiftingService/LiftStream"
SAMPLE = "/pose_mdn.v1.PoseGenerationService/SamplePoses"


class BusyServer:
    """What a server counts that does the same work from one look at it to the next."""

    def __init__(self) -> None:
        self.workers = [Metrics(worker=str(index), paths=[LIFT, SAMPLE], stream_paths=[STREAM]) for index in range(2)]
        self.supervisor = Metrics(worker="supervisor")

    def work(self, seconds: int = 1) -> Snapshot:
        for metrics in self.workers * seconds:
            for _ in range(100):
                metrics.call_started(LIFT)
                metrics.call_finished(LIFT, "mdn_lifter", "OK", 0.004, 2, 0.001, 0.0025)
            metrics.batch_ran("mdn_lifter", 200, 0.25)
            metrics.call_started(LIFT)
            metrics.call_finished(LIFT, "", "RESOURCE_EXHAUSTED", 0.0001, 1, 0.0, 0.0)
            metrics.refused("OVERLOADED")
            metrics.call_started(SAMPLE)
            metrics.stream_message(STREAM, "received")
            metrics.stream_answered(STREAM, "mdn_lifter", 0.002, 8, 0.0001, 0.001)
            metrics.set_gauge("queue_poses", 40)
            metrics.set_gauge("streams_open", 3)
        self.supervisor.worker_restarted()
        self.supervisor.reloaded("refused")
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        return merge([metrics.snapshot() for metrics in (*self.workers, self.supervisor)])


@pytest.fixture
def busy() -> Activity:
    server = BusyServer()
    before = server.work()
    return activity(before, server.work(seconds=2), window_s=2.0, time_s=time.time())


@pytest.fixture
def address() -> Iterator[str]:
    """Address of metrics that change with every look."""
    server = BusyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, content_type = exposition(server.work())
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Be silent."""

    yield from serving(Handler)


@pytest.fixture
def strange_address() -> Iterator[str]:
    """Address of a server of somebody else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"# TYPE go_threads gauge\ngo_threads 3\n")

        def log_message(self, *arguments: object) -> None:
            """Be silent."""

    yield from serving(Handler)


def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    cli_top.register(made)
    return made


def test_rates_are_of_the_window_and_counts_since_the_start(busy: Activity) -> None:
    lift = next(row for row in busy.methods if (row.method, row.model) == (LIFT[1:], "mdn_lifter"))
    assert (lift.answers_per_s, lift.poses_per_s, lift.failures_per_s) == (200.0, 400.0, 0.0)
    assert lift.p50_s == pytest.approx(0.004, abs=0.001)
    refused = next(row for row in busy.methods if (row.method, row.model) == (LIFT[1:], ""))
    assert (refused.answers_per_s, refused.failures_per_s, refused.p50_s) == (2.0, 2.0, None)
    stream = next(row for row in busy.methods if row.method == STREAM[1:])
    assert (stream.answers_per_s, stream.poses_per_s) == (2.0, 16.0)
    assert busy.answers_per_s == sum(row.answers_per_s for row in busy.methods) == 204.0
    assert busy.codes_per_s == {"RESOURCE_EXHAUSTED": 2.0}
    assert busy.refused == {"OVERLOADED": 6}
    assert busy.refused_per_s == {"OVERLOADED": 2.0}
    assert (busy.worker_restarts, busy.reloads) == (2, {"refused": 2})
    assert (busy.queue_poses, busy.streams_open, busy.calls_in_flight) == (80.0, 6.0, 6.0)


def test_models_say_where_time_goes_and_how_full_batches_are(busy: Activity) -> None:
    (model,) = busy.models
    assert (model.model, model.batches_per_s, model.poses_per_batch) == ("mdn_lifter", 2.0, 200.0)
    assert model.busy == pytest.approx(0.5)
    medians = [stage[0] for stage in (model.queue_s, model.run_s, model.rest_s)]
    assert medians == pytest.approx([0.001, 0.0025, 0.0005], rel=0.35)


def test_workers_come_first_and_their_processor_time_is_that_of_answers(busy: Activity) -> None:
    assert [row.worker for row in busy.workers] == ["0", "1", "supervisor"]
    cpu = sum(row.cpu for row in busy.workers[:2])
    assert busy.cpu_us_per_answer == pytest.approx(1e6 * cpu / busy.answers_per_s)


@given(st.lists(st.floats(6e-5, 9.9), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    histogram = Histogram(SECONDS)
    for value in values:
        histogram.add(value)
    got = quantile(SECONDS, histogram.row(1e-9), share)
    assert got is not None
    true = float(np.quantile(values, share, method="inverted_cdf"))
    edges = (0.0, *SECONDS)
    upper = next(index for index, edge in enumerate(edges) if true <= edge)
    assert edges[upper - 1] * (1 - 1e-9) <= got <= edges[upper] * (1 + 1e-9)


def test_a_quantile_of_nothing_is_none_and_beyond_the_last_edge_it_is_the_edge() -> None:
    assert quantile(SECONDS, [0], 0.5) is None
    assert quantile(SECONDS, [0] * (len(SECONDS) + 2), 0.5) is None
    assert quantile(SECONDS, [0] * (len(SECONDS) + 1) + [3], 0.5) == SECONDS[-1]


def rendered(now: Activity, width: int, height: int) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    view = top_view(
        now, title="pose-mdn 1.2.3 at 127.0.0.1:8002", history=[now], size=(width, height), notice=Text("q")
    )
    console.print(view)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (220, 60)])
def test_the_view_fits_its_terminal(busy: Activity, width: int, height: int) -> None:
    many = Activity(**{**vars(busy), "methods": busy.methods * 20, "workers": busy.workers * 20})
    for now in (busy, many):
        lines = rendered(now, width, height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
    text = "\n".join(rendered(busy, width, height))
    for shown in ("mdn_lifter", "Lift", "supervisor", "RESOURCE_EXHAUSTED 2.0/s", "restarts 2", "6 open"):
        assert shown in text
    assert "more" in "\n".join(rendered(many, width, height))


@given(st.integers(0, 60), st.lists(st.integers(0, 40), min_size=3, max_size=3))
def test_lines_are_shared_fairly(lines: int, wanted: list[int]) -> None:
    given_lines = share_lines(lines, wanted)
    assert all(min(rows, 1) <= got <= rows for got, rows in zip(given_lines, wanted, strict=True))
    assert sum(given_lines) <= max(lines, 3)
    assert sum(given_lines) == min(lines, sum(wanted)) or lines < 3
    shown = [rows_shown(rows, got) + (rows > got) for rows, got in zip(wanted, given_lines, strict=True)]
    assert all(used <= max(got, 1) for used, got in zip(shown, given_lines, strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rate_text(0), "0"),
        (rate_text(12.34), "12.3"),
        (rate_text(99.99), "100"),
        (rate_text(12340), "12,340"),
        (rate_text(1.5e6), "1.50M"),
        (seconds_text(None), "-"),
        (seconds_text(85e-6), "85µs"),
        (seconds_text(0.00124), "1.24ms"),
        (seconds_text(0.9999), "1s"),
        (seconds_text(3.14), "3.1s"),
        (bytes_text(312e6), "312 MB"),
        (duration_text(0), "0s"),
        (duration_text(200), "3m 20s"),
        (duration_text(3 * 86400 + 4 * 3600 + 99), "3d 4h"),
        (sparkline([0, 1, 8], 2), "▁█"),
        (sparkline([0, 0], 9), ""),
        (short_method(LIFT[1:]), "PoseLifting/Lift"),
        (short_method("other"), "other"),
    ],
)
def test_amounts_are_short(text: str, expected: str) -> None:
    assert text == expected


def test_once_prints_one_table(app: typer.Typer, address: str) -> None:
    result = CliRunner().invoke(app, [address, "--once", "--interval", "0.1"])
    assert result.exit_code == 0, result.output
    assert f"at {address}" in result.output
    assert result.output.count("answers/s") == 2
    assert "mdn_lifter" in result.output


def test_without_a_terminal_it_prints_once_and_ends(app: typer.Typer, address: str) -> None:
    result = CliRunner().invoke(app, [address.rpartition(":")[2], "--interval", "0.1"])
    assert result.exit_code == 0, result.output
    assert f"at {address}" in result.output
    assert "\x1b" not in result.output


def test_json_is_for_machines(app: typer.Typer, address: str) -> None:
    result = CliRunner().invoke(app, [f"http://{address}/metrics", "--json", "--interval", "0.1"])
    assert result.exit_code == 0, result.output
    seen = json.loads(result.output, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert seen["address"] == address
    assert seen["answers_per_s"] * seen["window_s"] == pytest.approx(204)
    assert math.isclose(sum(row["poses_per_s"] for row in seen["methods"]), seen["poses_per_s"])


@pytest.mark.parametrize("unreachable", ["127.0.0.1:9", "strange", "no.such.host.invalid", "[::1]:9"])
def test_who_does_not_answer_is_named_in_one_line(app: typer.Typer, strange_address: str, unreachable: str) -> None:
    target = strange_address if unreachable == "strange" else unreachable
    result = CliRunner().invoke(app, [target, "--once"])
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert f"error: expected metrics at http://{target}" in line
    assert "`pose-mdn serve`" in line
    assert "pose-mdn top HOST:PORT" in line


def test_on_a_terminal_it_is_live_until_q(address: str) -> None:
    program = (
        "import typer; from pose_mdn_server import cli_top; app = typer.Typer(); cli_top.register(app); "
        f"app(['{address}', '--interval', '0.1'])"
    )
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"}
    )
    os.close(slave)
    shown = b""
    try:
        while shown.count(b"failures") < 3:
            assert select.select([master], [], [], 20)[0], shown
            shown += os.read(master, 1 << 16)
        os.write(master, b"q")
        while select.select([master], [], [], 20)[0]:
            try:
                shown += os.read(master, 1 << 16)
            except OSError:  # the program has closed the terminal
                break
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(master)
    assert b"Traceback" not in shown
    assert shown.rstrip().endswith((b"\x1b[?1049l\x1b[?25h", b"\x1b[?25h\x1b[?1049l", b"\x1b[?1049l", b"\x1b[?25h"))
