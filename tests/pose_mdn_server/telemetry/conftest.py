"""Logs of this process, into a file that a test can read."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pose_mdn_server.telemetry import log_buffer, logs


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Callable[..., Callable[[], list[str]]]]:
    """Configures logs and gives what gives their lines; afterwards everything is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("pose_mdn_server")
    before = (root.handlers[:], root.level, ours.level)
    hooks = (sys.excepthook, threading.excepthook)
    path = tmp_path / "stderr"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)

    def begin(log_format: str = "text", access_log: bool = False) -> Callable[[], list[str]]:
        buffer = logs.configure(log_format=log_format, access_log=access_log, descriptor=descriptor)

        def lines() -> list[str]:
            assert buffer.flush(10.0)
            return path.read_text().splitlines()

        return lines

    yield begin
    log_buffer.install(None)
    logs._put_access = None
    root.handlers[:], root.level, ours.level = before
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    os.close(descriptor)
