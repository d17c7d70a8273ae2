import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pose_mdn.errors import ConfigError
from pose_mdn_server.calls import Client
from pose_mdn_server.errors import QuotaExceededError
from pose_mdn_server.security import quotas as module
from pose_mdn_server.security.quota_file import GROUPS, SLOTS_IN_GROUP, QuotaFile
from pose_mdn_server.security.quotas import Quotas

PROGRAM = Path(__file__).with_name("quota_program.py")
Make = Callable[[], Quotas]


class Clock:
    """`time.monotonic_ns`, moved by hand."""

    def __init__(self) -> None:
        self.now = 10**15

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic_ns", clock)
    return clock


@pytest.fixture(params=["in process", "shared"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "in process":
        return Quotas
    path = tmp_path / "quotas"

    def shared() -> Quotas:
        Quotas.create(path)
        return Quotas(path)

    return shared


def refusal(quotas: Quotas, client: Client, poses: int = 1) -> float:
    """How long a client has to wait; 0 if it got what it wanted."""
    try:
        quotas.take(client, poses)
    except QuotaExceededError as refused:
        return refused.retry_after_s
    return 0.0


def test_a_client_without_quota_is_never_refused(make: Make) -> None:
    quotas = make()
    assert not any(refusal(quotas, Client(name="a"), 10**9) for _ in range(1000))


@pytest.mark.usefixtures("clock")
def test_one_second_of_calls_may_come_at_once(make: Make) -> None:
    quotas, client = make(), Client(name="a", calls_per_s=10)
    assert [refusal(quotas, client) > 0 for _ in range(11)] == [False] * 10 + [True]


def test_the_time_to_wait_is_exact(make: Make, clock: Clock) -> None:
    quotas, client = make(), Client(name="a", poses_per_s=100)
    assert refusal(quotas, client, 100) == 0
    wait_s = refusal(quotas, client, 25)
    assert wait_s == pytest.approx(0.25, abs=1e-8)
    clock.forward(wait_s - 1e-6)
    assert 0 < refusal(quotas, client, 25) < 2e-6
    clock.forward(1e-6 + 1e-9)
    assert refusal(quotas, client, 25) == 0


def test_calls_larger_than_a_second_go_through_and_are_paid_back(make: Make, clock: Clock) -> None:
    quotas, client = make(), Client(name="a", poses_per_s=100)
    assert refusal(quotas, client, 1000) == 0
    assert refusal(quotas, client, 1) == pytest.approx(9.01, abs=1e-6)
    clock.forward(9.02)
    assert refusal(quotas, client, 1) == 0


@pytest.mark.usefixtures("clock")
def test_a_call_takes_from_both_buckets_or_from_neither(make: Make) -> None:
    quotas, client = make(), Client(name="a", calls_per_s=5, poses_per_s=100)
    assert refusal(quotas, client, 99) == 0
    assert all(refusal(quotas, client, 50) > 0 for _ in range(20)), "refused calls cost nothing"
    assert refusal(quotas, client, 1) == 0
    assert [refusal(quotas, client, 0) > 0 for _ in range(4)] == [False, False, False, True]


@pytest.mark.usefixtures("clock")
def test_clients_do_not_touch_each_other(make: Make) -> None:
    quotas = make()
    clients = [Client(name=f"client {number}", calls_per_s=1) for number in range(500)]
    assert not any(refusal(quotas, client) for client in clients)
    assert all(refusal(quotas, client) for client in clients)


@given(
    rate=st.floats(0.5, 500),
    calls=st.lists(st.tuples(st.floats(0, 0.4), st.integers(1, 60)), min_size=1, max_size=80),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_no_time_is_more_taken_than_allowed(make: Make, clock: Clock, rate: float, calls: list) -> None:
    quotas, client = make(), Client(name="a", poses_per_s=rate)
    holds = max(rate, 1.0)
    taken: list[tuple[int, int]] = []
    for pause_s, poses in calls:
        clock.forward(pause_s)
        if refusal(quotas, client, poses) == 0:
            taken.append((clock.now, poses))
    for first, (since, _) in enumerate(taken):
        total = 0.0
        for moment, poses in taken[first:]:
            total += poses
            # What comes in meanwhile, a full bucket, and what the last call was larger than a bucket.
            allowed = (moment - since) / 1e9 * rate + holds + max(0.0, poses - holds)
            assert total <= allowed + 1e-6 * (1 + len(taken))


def test_setting_the_clock_changes_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas, client = make(), Client(name="a", calls_per_s=0.01)
    assert refusal(quotas, client) == 0
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert refusal(quotas, client) > 90


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless_threads")
def test_threads_take_no_more_together(make: Make) -> None:
    quotas, client = make(), Client(name="a", calls_per_s=100.0)
    taken = []

    def work() -> None:
        taken.append(sum(refusal(quotas, client) == 0 for _ in range(100)))

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 8
    assert 100 <= sum(taken) <= 100 + (time.monotonic() - began) * 100


def start(path: Path, rate: float, poses: int, seconds: float) -> subprocess.Popen[str]:
    worker = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(path), str(rate), str(poses), str(seconds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def begin(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()


def test_processes_take_no_more_and_no_less_together(tmp_path: Path) -> None:
    path, rate, seconds = tmp_path / "quotas", 5000.0, 1.0
    Quotas.create(path)
    workers = [start(path, rate, 1, seconds) for _ in range(3)]
    began = time.monotonic()
    for worker in workers:
        begin(worker)
    taken = sum(int(worker.communicate()[0]) for worker in workers)
    elapsed = time.monotonic() - began
    assert taken <= rate * (1 + elapsed)
    # A second's worth is there at the beginning; of the rest, busy cores may let some pass.
    assert taken >= rate * (1 + seconds) * 0.6


def test_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "quotas"
    Quotas.create(path)
    quotas, client = Quotas(path), Client(name="shared", poses_per_s=1e9)
    for _ in range(5):
        worker = start(path, 1e9, 1, 60)
        begin(worker)
        for _ in range(200):
            quotas.take(client, 1)
        os.kill(worker.pid, signal.SIGKILL)
        worker.communicate()
        quotas.take(client, 1)


def test_processes_see_the_same_account(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "quotas"
    Quotas.create(path)
    one, other, client = Quotas(path), Quotas(path), Client(name="a", calls_per_s=2)
    assert refusal(one, client) == 0
    assert refusal(other, client) == 0
    assert refusal(one, client) > 0
    clock.forward(0.5)
    assert refusal(other, client) == 0
    assert refusal(one, client) > 0


def test_whoever_was_idle_longest_makes_room(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "quotas"
    QuotaFile.create(path, groups=1)
    quotas = Quotas(path)
    clients = [Client(name=str(number), calls_per_s=0.001) for number in range(SLOTS_IN_GROUP + 1)]
    for client in clients[:-1]:
        clock.forward(1)
        assert refusal(quotas, client) == 0
    assert refusal(quotas, clients[-1]) == 0
    assert all(refusal(quotas, client) > 0 for client in clients[1:])
    assert refusal(quotas, clients[0]) == 0


def test_the_number_of_clients_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CLIENTS", 10)
    quotas = Quotas()
    clients = [Client(name=str(number), calls_per_s=0.001) for number in range(11)]
    assert not any(refusal(quotas, client) for client in clients)
    assert all(refusal(quotas, client) > 0 for client in clients[1:])
    assert refusal(quotas, clients[0]) == 0


def test_the_file_is_for_its_owner_of_one_size_and_holds_no_names(tmp_path: Path) -> None:
    path = tmp_path / "quotas"
    Quotas.create(path)
    size = path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    assert size <= 64 * (GROUPS * SLOTS_IN_GROUP + 1)
    quotas = Quotas(path)
    for number in range(100):
        quotas.take(Client(name=f"secret-{number}", calls_per_s=1), 1)
    assert path.stat().st_size == size
    assert b"secret" not in path.read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"short", bytes(1000), b"pmdnqt01" + b"\xff" * 56])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "quotas"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="quotas: expected a file that the supervisor made"):
        Quotas(path)
