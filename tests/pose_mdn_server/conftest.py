"""A server on loopback: inside the tests' process, and as a process of its own."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.formats import read_keypoints
from pose_mdn.poses.keypoints import FloatArray, KeypointSequence
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.server import PoseServer

STARTUP_S = 30


@contextmanager
def served_process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of one worker on free ports in processes of its own, and its address; killed at the end if it still runs.

    `options` are more of `pose-mdn serve`.
    """
    ports = ("--port", "0", "--http-port", "0", "--workers", "1")
    command = [sys.executable, "-m", "pose_mdn_server", *ports, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r" on (\S+:\d+);", line)
        if found is None:
            process.kill()
            pytest.fail(f"the server did not start: {line!r} {process.communicate(timeout=STARTUP_S)}")
        yield process, found[1]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=STARTUP_S)


@pytest.fixture(scope="session")
def server() -> Iterator[PoseServer]:
    with PoseServer(ServerConfig(port=0, drain_s=5.0)) as started:
        yield started


@pytest.fixture
def client(server: PoseServer) -> Iterator[PoseLiftingClient]:
    with PoseLiftingClient(server.address) as connected:
        yield connected


@pytest.fixture(scope="session")
def process_address() -> Iterator[str]:
    """Address of a server that runs in a process of its own."""
    with served_process() as (_, address):
        yield address


@pytest.fixture(scope="session")
def clip() -> KeypointSequence:
    return read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz")))


@pytest.fixture(scope="session")
def people() -> FloatArray:
    """(6, 17, 2) keypoints of six different people in a picture of 1000 x 1000 pixels."""
    return np.random.default_rng(0).uniform(100, 900, (6, 17, 2)).astype(np.float32)
