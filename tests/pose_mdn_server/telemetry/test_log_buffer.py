import os
import subprocess
import sys
import threading
import time

import pytest

from pose_mdn_server.telemetry import log_buffer
from pose_mdn_server.telemetry.log_buffer import LogBuffer


def test_nobody_waits_for_a_reader_that_does_not_read() -> None:
    reader, writer = os.pipe()
    buffer = LogBuffer(descriptor=writer, said=lambda count: f"{count} dropped", capacity=100)
    text = "x" * 10_000
    slowest_s = 0.0
    for _ in range(1000):
        began = time.perf_counter()
        buffer.put(lambda: text)
        slowest_s = max(slowest_s, time.perf_counter() - began)
    assert slowest_s < 5.0, "a blocked write lasts for ever; a busy machine does not"
    assert buffer.dropped > 0
    received: list[bytes] = []
    draining = threading.Thread(target=lambda: received.extend(iter(lambda: os.read(reader, 1 << 20), b"")))
    draining.start()
    assert buffer.flush(10.0)
    dropped = buffer.dropped
    buffer.put(lambda: "last", urgent=True)
    buffer.close(10.0)
    os.close(writer)
    draining.join(10.0)
    os.close(reader)
    lines = b"".join(received).decode().splitlines()
    assert lines[-1] == "last"
    assert sum(int(line.split()[0]) for line in lines if line.endswith("dropped")) == dropped
    assert lines.count(text) == 1000 - dropped


class FailingWrites:
    """`os.write` of a disk that is full at times."""

    def __init__(self) -> None:
        self.full = True
        self.text = b""

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        self.text += bytes(data)
        return len(data)


def test_a_full_disk_costs_lines_and_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FailingWrites()
    monkeypatch.setattr(log_buffer.os, "write", disk)
    buffer = LogBuffer(descriptor=99, said=lambda count: f"{count} lines were dropped")
    for number in range(3):
        buffer.put(lambda number=number: f"line {number}")  # type: ignore[misc]
    assert buffer.flush(10.0)
    assert buffer.dropped == 3
    disk.full = False
    buffer.put(lambda: "after")
    buffer.close(10.0)
    assert disk.text.decode().splitlines() == ["3 lines were dropped", "after"]


def test_a_line_that_cannot_be_made_does_not_end_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FailingWrites()
    disk.full = False
    monkeypatch.setattr(log_buffer.os, "write", disk)
    buffer = LogBuffer(descriptor=99, said=str)
    buffer.put(lambda: str(1 // 0))
    buffer.put(lambda: "after")
    buffer.close(10.0)
    assert disk.text.decode().splitlines() == ["a log line could not be written: ZeroDivisionError", "after"]


PROGRAM = """
import logging, sys
from pose_mdn_server.telemetry import logs
logs.configure(log_format="text", access_log=False)
for number in range(int(sys.argv[1])):
    logging.getLogger("pose_mdn_server").info("line %d %s", number, "x" * 200)
"""


def test_a_process_that_ends_has_written_its_log() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "500"], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stderr.splitlines()
    assert [line.split()[4] for line in lines] == [str(number) for number in range(500)]


def test_a_process_whose_stderr_nobody_reads_ends_all_the_same() -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, "5000"], stderr=subprocess.PIPE)
    assert process.wait(30) == 0
    assert process.stderr is not None
    process.stderr.close()


def test_what_nobody_catches_is_logged_without_its_numbers() -> None:
    program = (
        PROGRAM
        + """
import threading
def fail(): raise ValueError("got [[101.5 202.5] [303.5 404.5]]")
thread = threading.Thread(target=fail, name="calls"); thread.start(); thread.join()
fail()
"""
    )
    done = subprocess.run([sys.executable, "-c", program, "0"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert " ERROR pose_mdn_server thread calls ended by ValueError" in done.stderr
    assert " CRITICAL pose_mdn_server ended by ValueError" in done.stderr
    assert done.stderr.count("ValueError: got") == 2
    assert "202.5" not in done.stderr
