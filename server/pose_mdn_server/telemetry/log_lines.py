"""How a log line looks: as text for people, as JSON for machines."""

import json
import logging
import math
import os
import time
import traceback
from dataclasses import dataclass
from functools import lru_cache

from pose_mdn_server.telemetry.redaction import Plain, plain_arguments, plain_field, plain_text

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST_TRACE = 20_000
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {ord("\n"): "\\n", ord("\t"): "\\t"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line before it has a form.

    Attributes:
        time_s: Seconds since 1970.
        fields: What stands beside the message, by name.
        trace: Stack trace, of several lines; empty if there is none.
    """

    time_s: float
    level: str
    logger: str
    message: str
    fields: dict[str, Plain]
    trace: str = ""


def entry_of(record: logging.LogRecord) -> Entry:
    """What a log record says, without what must not be logged."""
    message = str(record.msg)
    if record.args:
        message %= plain_arguments(record.args)
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return Entry(
        time_s=record.created,
        level=record.levelname,
        logger=record.name,
        message=plain_text(message),
        # Libraries that mark records for themselves do so under names that begin with an underscore.
        fields={
            name: plain_field(name, value)
            for name, value in vars(record).items()
            if name not in _OF_EVERY_RECORD and not name.startswith("_")
        },
        trace=plain_text(trace, longest=_LONGEST_TRACE),
    )


def as_text(entry: Entry) -> str:
    """`2026-11-22T10:00:00.123Z INFO pose_mdn_server.server message name=value pid=42`, the trace indented below."""
    parts = [_timestamp(entry.time_s), entry.level, entry.logger, entry.message.translate(_CONTROL)]
    parts += [f"{name}={_text_value(value)}" for name, value in {**entry.fields, "pid": os.getpid()}.items()]
    line = " ".join(parts)
    return line + "".join(f"\n    {row.translate(_CONTROL)}" for row in entry.trace.splitlines())


def as_json(entry: Entry) -> str:
    """One object: timestamp, level, logger, message, pid, the fields, and `trace` if there is one."""
    content: dict[str, Plain] = {name: _json_value(value) for name, value in entry.fields.items()}
    content |= {
        "timestamp": _timestamp(entry.time_s),
        "level": entry.level,
        "logger": entry.logger,
        "message": entry.message,
        "pid": os.getpid(),
    }
    if entry.trace:
        content["trace"] = entry.trace
    first = ("timestamp", "level", "logger", "message")
    return json.dumps({name: content[name] for name in (*first, *(name for name in content if name not in first))})


FORMATS = {"text": as_text, "json": as_json}


def _timestamp(time_s: float) -> str:
    whole, milliseconds = divmod(round(time_s * 1000), 1000)
    return f"{_to_the_second(whole)}.{milliseconds:03d}Z"


@lru_cache(maxsize=16)
def _to_the_second(time_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s))


def _text_value(value: Plain) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value).translate(_CONTROL)
    return f'"{text}"' if " " in text or not text else text


def _json_value(value: Plain) -> Plain:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
