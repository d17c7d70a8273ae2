"""Logs of a process: one line each on stderr, written by a thread of its own (`log_buffer`)."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from functools import lru_cache, partial
from types import TracebackType
from typing import TYPE_CHECKING

from pose_mdn.config.ranges import require
from pose_mdn_server.config import LOG_FORMATS
from pose_mdn_server.telemetry.log_buffer import LogBuffer, dropped_lines, install
from pose_mdn_server.telemetry.log_lines import FORMATS, Entry, entry_of
from pose_mdn_server.telemetry.redaction import plain_text

if TYPE_CHECKING:  # the supervisor logs as well, and needs no protobuf for it
    from pose_mdn_server.calls.call import Call

__all__ = ["access", "configure", "dropped_lines"]

ACCESS_LOGGER = "pose_mdn_server.access"
_OUR_LOGGER = "pose_mdn_server"
_STDERR = 2

_put_access: Callable[..., None] | None = None


def configure(*, log_format: str, access_log: bool, descriptor: int = _STDERR) -> LogBuffer:
    """Send all logs of this process to `descriptor`, as "text" or "json" lines; replaces what was configured before.

    Our own loggers say INFO and above, others WARNING and above. `access_log` turns `access` on. The buffer is written
    out when the process ends; `flush` does so earlier.

    Raises:
        ConfigError: There is no such format.
    """
    global _put_access  # noqa: PLW0603 - logging is of the whole process
    require(log_format in LOG_FORMATS, "log_format", f"one of {', '.join(LOG_FORMATS)}", log_format)
    form = FORMATS[log_format]
    buffer = LogBuffer(descriptor=descriptor, said=lambda count: form(_dropped(count)))
    install(buffer)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(_BufferHandler(buffer, form))
    root.setLevel(logging.WARNING)
    logging.getLogger(_OUR_LOGGER).setLevel(logging.INFO)
    logging.captureWarnings(True)
    # What nobody catches would be printed as it is, with whatever its text holds.
    sys.excepthook = _say_uncaught
    threading.excepthook = _say_uncaught_in_thread
    _put_access = partial(_put_call, buffer, form) if access_log else None
    return buffer


def access(call: "Call", code: str, seconds: float) -> None:
    """One line for a call that ended with the status `code`, "OK"; nothing unless access logs were asked for.

    It says which method, how it ended, how long it took, with which model on how many poses; not who called.
    """
    if _put_access is not None:
        _put_access(call, code, seconds)


class _BufferHandler(logging.Handler):
    """Hands records to a buffer; the text is made at once, since arguments may change later."""

    def __init__(self, buffer: LogBuffer, form: Callable[[Entry], str]) -> None:
        super().__init__()
        self._buffer = buffer
        self._form = form

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self._form(entry_of(record))
        except Exception as error:  # as in `logging`: a bad message must not end what it tells of
            text = f"a log line of {record.name} could not be made: {type(error).__name__}"
        self._buffer.put(lambda: text, urgent=record.levelno >= logging.WARNING)


def _say_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(_OUR_LOGGER).critical("ended by %s", kind.__name__, exc_info=(kind, error, trace))


def _say_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None:
        name = arguments.thread.name if arguments.thread is not None else "?"
        logging.getLogger(_OUR_LOGGER).error("thread %s ended by %s", name, type(error).__name__, exc_info=error)


def _put_call(buffer: LogBuffer, form: Callable[[Entry], str], call: "Call", code: str, seconds: float) -> None:
    facts = (call.path, call.request_id, call.model, call.poses, call.queued_s, call.ran_s)
    buffer.put(partial(_access_line, form, time.time(), code, seconds, facts))


def _access_line(
    form: Callable[[Entry], str],
    time_s: float,
    code: str,
    seconds: float,
    facts: tuple[str, str, str, int, float, float],
) -> str:
    path, request_id, model, poses, queued_s, ran_s = facts
    return form(
        Entry(
            time_s=time_s,
            level="INFO",
            logger=ACCESS_LOGGER,
            message="call",
            fields={
                "method": _method(path),
                "code": code,
                "ms": round(seconds * 1e3, 3),
                "model": model,
                "poses": poses,
                "queued_ms": round(queued_s * 1e3, 3),
                "ran_ms": round(ran_s * 1e3, 3),
                "request_id": plain_text(request_id),
            },
        )
    )


@lru_cache(maxsize=64)
def _method(path: str) -> str:
    return plain_text(path.removeprefix("/"))


def _dropped(count: int) -> Entry:
    return Entry(
        time_s=time.time(),
        level="WARNING",
        logger=__name__,
        message=f"{count} log lines were dropped, because stderr did not take them",
        fields={"dropped": count},
    )
