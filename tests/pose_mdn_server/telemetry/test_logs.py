import calendar
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.errors import ConfigError
from pose_mdn_server.calls import Call, Client
from pose_mdn_server.rpc import pose_lifting_pb2
from pose_mdn_server.telemetry import log_buffer, logs
from pose_mdn_server.telemetry.log_buffer import LogBuffer
from pose_mdn_server.telemetry.redaction import REDACTED, plain_text, plain_value

LOG = logging.getLogger("pose_mdn_server.made_up")
TOKEN = "pmdn_Zm9vYmFyYmF6cXV4MTIzNDU2"


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Configures logs into a file, which it gives; afterwards everything is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("pose_mdn_server")
    before = (root.handlers[:], root.level, ours.level)
    hooks = (sys.excepthook, threading.excepthook)
    path = tmp_path / "stderr"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)

    def begin(log_format: str = "text", access_log: bool = False) -> Path:
        logs.configure(log_format=log_format, access_log=access_log, descriptor=descriptor)
        return path

    yield begin
    log_buffer.install(None)
    logs._put_access = None
    root.handlers[:], root.level, ours.level = before
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    os.close(descriptor)


def written(path: Path) -> list[str]:
    assert log_buffer._current is not None
    assert log_buffer._current.flush(10.0)
    return path.read_text().splitlines()


def a_call(**changes: object) -> Call:
    facts: dict[str, object] = {
        "path": "/pose_mdn.v1.PoseLiftingService/Lift",
        "request_id": "4711",
        "client": Client(name="camera at the door"),
        "peer": "ipv4:192.0.2.7:50000",
        "metadata": {"authorization": f"Bearer {TOKEN}"},
        "model": "mdn_lifter",
        "poses": 3,
        "queued_s": 0.001,
        "ran_s": 0.002,
    }
    return Call(**{**facts, **changes})  # type: ignore[arg-type]


def test_a_line_of_text_has_time_level_logger_message_and_fields(configure: Callable[..., Path]) -> None:
    path = configure("text")
    LOG.info("reloaded %s", "mdn_lifter/2", extra={"request_id": "4711", "seconds": 0.25})
    (line,) = written(path)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO pose_mdn_server\.made_up reloaded mdn_lifter/2 "
        rf"request_id=4711 seconds=0\.25 pid={os.getpid()}",
        line,
    )


def test_a_line_of_json_has_the_same(configure: Callable[..., Path]) -> None:
    path = configure("json")
    LOG.warning("reloaded %s", "mdn_lifter/2", extra={"request_id": "4711", "ratio": float("nan")})
    (line,) = written(path)
    entry = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    told_s = calendar.timegm(time.strptime(entry.pop("timestamp")[:19], "%Y-%m-%dT%H:%M:%S"))
    assert abs(time.time() - told_s) < 60
    assert entry == {
        "level": "WARNING",
        "logger": "pose_mdn_server.made_up",
        "message": "reloaded mdn_lifter/2",
        "request_id": "4711",
        "ratio": "nan",
        "pid": os.getpid(),
    }


def test_ours_say_info_and_others_only_warnings(configure: Callable[..., Path]) -> None:
    path = configure()
    logging.getLogger("somebody.else").info("chatter")
    logging.getLogger("somebody.else").warning("trouble")
    LOG.info("news")
    LOG.debug("detail")
    assert [line.split()[3] for line in written(path)] == ["trouble", "news"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_caller_can_forge_a_line(configure: Callable[..., Path], log_format: str) -> None:
    path = configure(log_format, access_log=True)
    LOG.warning("no model %s", "x\n2026-01-01T00:00:00.000Z ERROR root forged\x1b[2J")
    logs.access(a_call(path="/a/b\nforged", request_id="1\nforged"), "UNIMPLEMENTED", 0.001)
    lines = written(path)
    assert len(lines) == 2
    assert "\x1b" not in "".join(lines)


def test_a_trace_is_told_without_the_numbers_in_it(configure: Callable[..., Path]) -> None:
    path = configure("text")
    keypoints = np.array([[101.5, 202.25], [303.125, 404.75]])
    try:
        raise ValueError(f"cannot lift {keypoints}")
    except ValueError:
        LOG.exception("failed", extra={"request_id": "4711"})
    first, *trace = written(path)
    assert " ERROR " in first
    assert trace
    assert all(line.startswith("    ") for line in trace)
    assert "Traceback" in trace[0]
    assert "ValueError: cannot lift" in trace[-2] + trace[-1]
    assert "202" not in "".join(trace)


def test_the_access_log_says_what_was_called_and_not_who_called(configure: Callable[..., Path]) -> None:
    path = configure("json", access_log=True)
    logs.access(a_call(), "OK", 0.0045)
    (line,) = written(path)
    entry = json.loads(line)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "level": "INFO",
        "logger": "pose_mdn_server.access",
        "message": "call",
        "method": "pose_mdn.v1.PoseLiftingService/Lift",
        "code": "OK",
        "ms": 4.5,
        "model": "mdn_lifter",
        "poses": 3,
        "queued_ms": 1.0,
        "ran_ms": 2.0,
        "request_id": "4711",
        "pid": os.getpid(),
    }


def test_without_an_access_log_a_call_leaves_no_line(configure: Callable[..., Path]) -> None:
    path = configure(access_log=False)
    logs.access(a_call(), "OK", 0.001)
    assert written(path) == []


SECRETS = [
    pytest.param("call %s", (a_call(),), {}, id="a call with its metadata"),
    pytest.param("got %s", ({"authorization": f"Bearer {TOKEN}"},), {}, id="metadata"),
    pytest.param("got %(authorization)s", ({"authorization": f"Bearer {TOKEN}"},), {}, id="metadata by name"),
    pytest.param("got %s", ((("authorization", f"Bearer {TOKEN}"),),), {}, id="metadata as gRPC has it"),
    pytest.param(f"header authorization: Bearer {TOKEN}", (), {}, id="in the message"),
    pytest.param(f"[('Authorization', 'Bearer {TOKEN}')]", (), {}, id="a list in the message"),
    pytest.param(f"bearer  {TOKEN} is unknown", (), {}, id="without its name"),
    pytest.param("%s is unknown", (TOKEN,), {}, id="alone"),
    pytest.param("refused", (), {"authorization": f"Bearer {TOKEN}"}, id="as a field"),
    pytest.param("refused", (), {"client_token": TOKEN}, id="as a field of another name"),
    pytest.param("refused", (), {"details": {"authorization": TOKEN}}, id="inside a field"),
    pytest.param("refused: %s", (ValueError(f"authorization: Bearer {TOKEN}"),), {}, id="in an exception"),
]


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("message", "arguments", "fields"), SECRETS)
def test_tokens_never_get_into_a_log(
    configure: Callable[..., Path],
    log_format: str,
    message: str,
    arguments: tuple[object, ...],
    fields: dict[str, object],
) -> None:
    path = configure(log_format)
    LOG.warning(message, *arguments, extra=fields)
    text = "\n".join(written(path))
    assert "made_up" in text
    assert TOKEN not in text


@pytest.mark.parametrize("name", ["authorization", "client_secret", "api_key", "Cookie", "keypoints_px", "metadata"])
def test_fields_named_like_secrets_are_withheld(configure: Callable[..., Path], name: str) -> None:
    path = configure("json")
    LOG.warning("got", extra={name: "open sesame"})
    LOG.warning("got %(" + name + ")s", {name: "open sesame"})
    first, second = map(json.loads, written(path))
    assert first[name] == REDACTED
    assert second["message"] == f"got {REDACTED}"


KEYPOINTS = np.random.default_rng(7).uniform(100, 900, (17, 2))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(KEYPOINTS, id="array"),
        pytest.param(KEYPOINTS.tolist(), id="list"),
        pytest.param(KEYPOINTS.astype(np.float32).tobytes(), id="bytes"),
        pytest.param(str(KEYPOINTS), id="printed"),
        pytest.param(repr(KEYPOINTS.astype(np.float32)), id="repr"),
        pytest.param("\n".join(f"keypoints_px: {value}" for value in KEYPOINTS.ravel()), id="a message as text"),
        pytest.param(json.dumps(KEYPOINTS.round(2).tolist()), id="JSON"),
        pytest.param(ValueError(f"got {KEYPOINTS}"), id="in an exception"),
        pytest.param({"keypoints": KEYPOINTS}, id="mapping"),
    ],
)
@pytest.mark.parametrize("how", ["argument", "field", "message"])
def test_keypoints_never_get_into_a_log(configure: Callable[..., Path], value: object, how: str) -> None:
    path = configure("json")
    if how == "argument":
        LOG.warning("got %s and %r", value, value)
    elif how == "field":
        LOG.warning("got", extra={"pose": value})
    else:
        LOG.warning(value)
    text = "\n".join(written(path))
    shown = [number for number in KEYPOINTS.ravel() if f"{number:.2f}"[:-1] in text]
    assert shown == []


@given(
    st.lists(st.floats(0.5, 4000, allow_subnormal=False), min_size=4, max_size=12),
    st.sampled_from([", ", " ", "; ", "\n", ") ("]),
)
def test_four_coordinates_in_a_row_are_not_told(numbers: list[float], between: str) -> None:
    text = between.join(f"{number:.3f}" for number in numbers)
    assert plain_text(f"keypoints {text} of a person") == f"keypoints {REDACTED} of a person"


@pytest.mark.parametrize(
    "text",
    [
        "serving on 127.0.0.1:8001, metrics on 127.0.0.1:8002, tokens of 3 clients",
        "keypoints: expected shape (..., 17, 2) for skeleton 'human36m', got (4, 16, 2)",
        "stopped after 20.0 s; 3 calls took longer than 5.5 s",
        "the token expires in 3 days",
        "basic checks of mdn_lifter/1 took 0.25 s",
        "",
    ],
)
def test_ordinary_messages_stay_as_they_are(text: str) -> None:
    assert plain_text(text) == text


class Report:
    """Of one of our modules, with a text for people."""

    __module__ = "pose_mdn_server.models.report"

    def __str__(self) -> str:
        return "added mdn_lifter/2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Path("/models/mdn_lifter"), "/models/mdn_lifter"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (Report(), "added mdn_lifter/2"),
        (ConfigError("port: expected another"), "port: expected another"),
        (OSError("disk full"), "OSError: disk full"),
        (np.zeros((3, 2)), "<ndarray (3, 2)>"),
        ((1.0, 2.0), "<tuple of 2>"),
        (object(), "<object>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_told_if_they_are_for_people(value: object, shown: object) -> None:
    assert plain_value(value) == shown


def test_a_message_of_ours_is_told_by_its_kind_alone() -> None:
    request = pose_lifting_pb2.LiftRequest(keypoints_px=[101.5, 202.5])
    assert plain_value(request) == "<LiftRequest>"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="log_format: expected a value one of text, json, got 'xml'"):
        logs.configure(log_format="xml", access_log=False)


def test_nobody_waits_for_a_reader_that_does_not_read() -> None:
    reader, writer = os.pipe()
    buffer = LogBuffer(descriptor=writer, said=lambda count: f"{count} dropped", capacity=100)
    text = "x" * 10_000
    slowest_s = 0.0
    for _ in range(1000):
        began = time.perf_counter()
        buffer.put(lambda: text)
        slowest_s = max(slowest_s, time.perf_counter() - began)
    assert slowest_s < 0.5, "a blocked write lasts for ever; a busy machine does not"
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


def test_a_process_whose_stderr_nobody_reads_ends_all_the_same() -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, "5000"], stderr=subprocess.PIPE)
    assert process.wait(30) == 0
    assert process.stderr is not None
    process.stderr.close()


def test_a_call_as_logged_does_not_change_when_the_call_does(configure: Callable[..., Path]) -> None:
    path = configure("json", access_log=True)
    call = a_call()
    logs.access(call, "OK", 0.001)
    call.poses = 99
    (line,) = written(path)
    assert json.loads(line)["poses"] == 3
