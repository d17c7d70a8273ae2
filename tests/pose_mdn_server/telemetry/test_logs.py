import calendar
import json
import logging
import os
import re
import time
from collections.abc import Callable

import numpy as np
import pytest

from pose_mdn.errors import ConfigError
from pose_mdn_server.calls import Call, Client
from pose_mdn_server.telemetry import logs

LOG = logging.getLogger("pose_mdn_server.made_up")
TOKEN = "pmdn_Zm9vYmFyYmF6cXV4MTIzNDU2"
Lines = Callable[[], list[str]]


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


def test_a_line_of_text_has_time_level_logger_message_and_fields(configure: Callable[..., Lines]) -> None:
    lines = configure("text")
    LOG.info("reloaded %s", "mdn_lifter/2", extra={"request_id": "4711", "seconds": 0.25})
    (line,) = lines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO pose_mdn_server\.made_up reloaded mdn_lifter/2 "
        rf"request_id=4711 seconds=0\.25 pid={os.getpid()}",
        line,
    )


def test_a_line_of_json_has_the_same(configure: Callable[..., Lines]) -> None:
    lines = configure("json")
    LOG.warning("reloaded %s", "mdn_lifter/2", extra={"request_id": "4711", "ratio": float("nan")})
    (line,) = lines()
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


def test_ours_say_info_and_others_only_warnings(configure: Callable[..., Lines]) -> None:
    lines = configure()
    logging.getLogger("somebody.else").info("chatter")
    logging.getLogger("somebody.else").warning("trouble")
    LOG.info("news")
    LOG.debug("detail")
    assert [line.split()[3] for line in lines()] == ["trouble", "news"]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_caller_can_forge_a_line(configure: Callable[..., Lines], log_format: str) -> None:
    lines = configure(log_format, access_log=True)
    LOG.warning("no model %s", "x\n2026-01-01T00:00:00.000Z ERROR root forged\x1b[2J")
    logs.access(a_call(path="/a/b\nforged", request_id="1\nforged"), "UNIMPLEMENTED", 0.001)
    got = lines()
    assert len(got) == 2
    assert "\x1b" not in "".join(got)


def test_a_trace_is_told_without_the_numbers_in_it(configure: Callable[..., Lines]) -> None:
    lines = configure("text")
    keypoints = np.array([[101.5, 202.25], [303.125, 404.75]])
    try:
        raise ValueError(f"cannot lift {keypoints}")
    except ValueError:
        LOG.exception("failed", extra={"request_id": "4711"})
    first, *trace = lines()
    assert " ERROR " in first
    assert trace
    assert all(line.startswith("    ") for line in trace)
    assert "Traceback" in trace[0]
    assert "ValueError: cannot lift" in trace[-2] + trace[-1]
    assert "202" not in "".join(trace)


def test_the_access_log_says_what_was_called_and_not_who_called(configure: Callable[..., Lines]) -> None:
    lines = configure("json", access_log=True)
    logs.access(a_call(), "OK", 0.0045)
    (line,) = lines()
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


def test_without_an_access_log_a_call_leaves_no_line(configure: Callable[..., Lines]) -> None:
    lines = configure(access_log=False)
    logs.access(a_call(), "OK", 0.001)
    assert lines() == []


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="log_format: expected a value one of text, json, got 'xml'"):
        logs.configure(log_format="xml", access_log=False)


def test_a_call_as_logged_does_not_change_when_the_call_does(configure: Callable[..., Lines]) -> None:
    lines = configure("json", access_log=True)
    call = a_call()
    logs.access(call, "OK", 0.001)
    call.poses = 99
    (line,) = lines()
    assert json.loads(line)["poses"] == 3
