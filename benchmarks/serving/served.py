"""Servers as processes of their own, on given cores."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from process_tree import command_line, kill_tree, tree

STARTUP_S = 90.0
STOP_S = 40.0
WORKER_MODULE = "pose_mdn_server.processes.worker"


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running server.

    Attributes:
        name: What tables call it.
        process: The process that was started; others may descend from it.
        address: "HOST:PORT" of gRPC.
        http_address: "HOST:PORT" of metrics; empty if it has none.
        log: What it wrote to stderr.
    """

    name: str
    process: "subprocess.Popen[str]"
    address: str
    http_address: str = ""
    log: Path

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self.process.pid

    @property
    def port(self) -> int:
        """Of gRPC."""
        return int(self.address.rpartition(":")[2])

    def workers(self) -> list[int]:
        """Processes that answer calls; the server itself if it has no workers."""
        found = [pid for pid in tree(self.pid) if WORKER_MODULE in command_line(pid)]
        return found or [self.pid]

    def stop(self, timeout_s: float = STOP_S) -> int | None:
        """Ask it to end; its exit code, or none if it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            kill_tree(self.pid)
            self.process.wait()
            return None


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program() -> list[str]:
    """The `pose-mdn` that belongs to this Python."""
    return [str(Path(sys.executable).with_name("pose-mdn"))]


@cache
def serve_options() -> frozenset[str]:
    """Options that the installed `pose-mdn serve` knows."""
    environment = {**os.environ, "COLUMNS": "250", "TERM": "dumb", "NO_COLOR": "1"}
    text = subprocess.run([*program(), "serve", "--help"], capture_output=True, text=True, env=environment, check=True)
    return frozenset(re.findall(r"--[a-z][a-z0-9-]+", text.stdout))


def known_options(wanted: Mapping[str, object]) -> list[str]:
    """A command line of the options that the server knows; flags have the value true."""
    line: list[str] = []
    for name, value in wanted.items():
        if name in serve_options():
            line += [name] if value is True else [name, str(value)]
    return line


@contextmanager
def pose_mdn(
    *,
    workers: int = 1,
    cores: Sequence[int] | None = None,
    options: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    stderr: Path | None = None,
    name: str = "pose-mdn",
    stop_s: float = STOP_S,
) -> Iterator[Served]:
    """`pose-mdn serve` on a free port, stopped at the end.

    Args:
        workers: Processes that answer.
        cores: Where the server and all its descendants run; everywhere if absent.
        options: More options; those that the server does not know are left out.
        environment: Variables to set.
        prefix: Program and arguments that start the server, as `prlimit --nofile=64`.
        stderr: File that gets what it logs; a temporary one if absent.
        name: What tables call it.
        stop_s: How long it may take to end before it is killed.
    """
    http_port = free_port()
    wanted = {"--port": 0, "--workers": workers, "--http-port": http_port, **(options or {})}
    command = [*pinned(cores), *prefix, *program(), "serve", *known_options(wanted)]
    address = re.compile(r" on (\S+:\d+);")
    with started(command, environment=environment, stderr=stderr) as (process, log):
        line = wait_for_line(process, address)
        found = address.search(line)
        if found is None:
            raise RuntimeError(f"the server did not start: {line!r} {log.read_text(errors='replace')[-2000:]}")
        http_address = f"127.0.0.1:{http_port}" if "--http-port" in serve_options() else ""
        served = Served(name=name, process=process, address=found[1], http_address=http_address, log=log)
        yield served
        served.stop(stop_s)


def pinned(cores: Sequence[int] | None) -> list[str]:
    """What to put before a command so that it runs on these cores alone."""
    return [] if cores is None else ["taskset", "-c", ",".join(map(str, cores))]


@contextmanager
def started(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stderr: Path | None = None,
) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process and the file of its stderr; it and its descendants are killed at the end if they still run."""
    with tempfile.TemporaryDirectory(prefix="pose-mdn-serving-") as scratch:
        log = stderr or Path(scratch) / "stderr.log"
        with log.open("a") as sink:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
                cwd=folder,
            )
        try:
            yield process, log
        finally:
            kill_tree(process.pid)
            process.wait()


def wait_for_line(process: "subprocess.Popen[str]", wanted: "re.Pattern[str]", timeout_s: float = STARTUP_S) -> str:
    """The first line on stdout that fits; the last one seen if none does. The rest of stdout is thrown away."""
    seen: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not ready.is_set():
                seen.append(line)
                if wanted.search(line):
                    ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    ready.wait(timeout_s)
    return seen[-1] if seen else ""


def wait_until(condition: Callable[[], object], timeout_s: float, interval_s: float = 0.05) -> bool:
    """Whether a condition came true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(interval_s)
    return bool(condition())
