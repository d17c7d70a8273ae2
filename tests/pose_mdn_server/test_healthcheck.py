"""The container's probe tells a serving server from one that is not."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pose_mdn_server import healthcheck

ServingStatus = health_pb2.HealthCheckResponse.ServingStatus


@pytest.fixture
def health_server() -> Iterator[tuple[str, health.HealthServicer]]:
    servicer = health.HealthServicer()
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", servicer
    server.stop(grace=None)


@pytest.mark.parametrize(("name", "exit_code"), [("SERVING", 0), ("NOT_SERVING", 1)])
def test_exit_code_follows_the_serving_status(
    name: str,
    exit_code: int,
    health_server: tuple[str, health.HealthServicer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target, servicer = health_server
    servicer.set("", ServingStatus.Value(name))
    monkeypatch.setattr("sys.argv", ["healthcheck", target])

    assert healthcheck.main() == exit_code
    assert capsys.readouterr().out == f"{target}: {name}\n"


def test_nobody_listening_is_unavailable_and_not_a_traceback() -> None:
    with socket.socket() as unused:  # bound but not listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        assert healthcheck.check(f"127.0.0.1:{unused.getsockname()[1]}", timeout_s=5) == "UNAVAILABLE"
