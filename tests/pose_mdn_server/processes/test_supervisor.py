"""Real processes: a supervisor, two workers, the gateway."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from pose_mdn.errors import ConfigError
from pose_mdn.inference import load_lifter
from pose_mdn_server.client import PoseLiftingClient
from pose_mdn_server.config import ServerConfig
from pose_mdn_server.errors import ServerUnavailableError, StartupError
from pose_mdn_server.processes.port import reserve_port
from pose_mdn_server.processes.supervisor import Supervisor

WAIT_S = 30.0
SIZE = (1000, 1000)


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(ServerConfig(port=0, http_port=0, workers=2, drain_s=5.0)) as started:
        yield started


def fetch(supervisor: Supervisor, path: str) -> str:
    """A page of the gateway, whatever its status; the supervisor is attended to meanwhile."""

    def get() -> str:
        try:
            return urllib.request.urlopen(f"http://{supervisor.http_address}{path}", timeout=WAIT_S).read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(get)
        while not asked.done():
            supervisor.attend(0.05)
        return asked.result()


def readiness(supervisor: Supervisor) -> dict[str, object]:
    found: dict[str, object] = json.loads(fetch(supervisor, "/readyz"))
    return found


def wait_until(supervisor: Supervisor, **wanted: object) -> dict[str, object]:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = readiness(supervisor)
        if wanted.items() <= found.items():
            return found
        supervisor.attend(0.1)
    pytest.fail(f"expected {wanted}, got {found}")


def test_workers_answer_on_one_port_and_a_dead_one_is_replaced(supervisor: Supervisor) -> None:
    assert wait_until(supervisor, workers_ready=2)["ready"] is True
    people = np.random.default_rng(0).uniform(100, 900, (4, 17, 2)).astype(np.float32)
    expected = load_lifter().lift_arrays(people, image_size=SIZE)
    with PoseLiftingClient(supervisor.address) as client:
        np.testing.assert_allclose(client.lift(people, image_size=SIZE).means_m, expected.means_m, atol=1e-5)
    victim = supervisor.worker_pids[0]
    os.kill(victim, signal.SIGKILL)
    assert wait_until(supervisor, workers_ready=2, restarts=1)
    assert victim not in supervisor.worker_pids
    # Whichever worker a new connection meets answers rightly.
    for _ in range(6):
        with PoseLiftingClient(supervisor.address) as client:
            np.testing.assert_allclose(client.lift(people, image_size=SIZE).means_m, expected.means_m, atol=1e-5)


def test_counts_of_the_dead_are_kept(supervisor: Supervisor) -> None:
    def lifts() -> float:
        page = fetch(supervisor, "/metrics")
        lines = [line for line in page.splitlines() if line.startswith("pose_mdn_calls_total")]
        return sum(float(line.split()[-1]) for line in lines if "PoseLiftingService/Lift" in line)

    with PoseLiftingClient(supervisor.address) as client:
        for _ in range(5):
            client.lift(np.linspace(100, 700, 34).reshape(17, 2), image_size=SIZE)
    end = time.monotonic() + WAIT_S
    while (before := lifts()) < 5 and time.monotonic() < end:
        supervisor.attend(0.1)
    restarts = wait_until(supervisor, workers_ready=2)["restarts"]
    for victim in supervisor.worker_pids:
        os.kill(victim, signal.SIGKILL)
    wait_until(supervisor, workers_ready=2, restarts=restarts + 2)  # type: ignore[operator]
    assert lifts() == before


def test_a_port_is_not_shared_with_strangers(supervisor: Supervisor) -> None:
    with pytest.raises(ConfigError, match="--port 0"):
        reserve_port("127.0.0.1", supervisor.port)
    with pytest.raises(ConfigError, match="http_port"):
        Supervisor(ServerConfig(port=0, http_port=supervisor.http_port))


def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(StartupError, match="default"):
        Supervisor(ServerConfig(port=0, http_port=None, workers=1, default_model="nobody")).start()


def test_stopping_answers_what_is_under_way_and_refuses_the_rest() -> None:
    supervisor = Supervisor(ServerConfig(port=0, http_port=None, workers=1, drain_s=10.0))
    supervisor.start()
    people = np.random.default_rng(1).uniform(100, 900, (64, 17, 2)).astype(np.float32)
    answered, refused = [], []

    def keep_calling() -> None:
        with PoseLiftingClient(supervisor.address, timeout_s=WAIT_S) as client:
            for _ in range(10_000):
                try:
                    answered.append(bool(client.lift(people, image_size=SIZE).lifted.all()))
                except ServerUnavailableError as error:
                    refused.append(error)
                    return

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(keep_calling) for _ in range(4)]
        while len(answered) < 8:
            time.sleep(0.01)
        assert supervisor.stop() is True
        for caller in callers:
            caller.result(WAIT_S)
    assert all(answered)
    assert len(refused) == 4
    with grpc.insecure_channel(supervisor.address) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=1)
