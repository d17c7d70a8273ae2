"""The tools of the fault suite, and a server in processes of its own to be attacked."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "serving"))

from served import Served, pose_mdn

OPTIONS = {"--max-message-bytes": 8 * 1024 * 1024, "--drain-s": 2, "--model-control": True}


@pytest.fixture(scope="session")
def attacked() -> Iterator[Served]:
    """A server that must survive all tests of this folder that use it."""
    with pose_mdn(workers=1, options=OPTIONS, stop_s=5) as served:
        yield served
