"""What is known of the jobs of a cluster, and how a cluster is come to: all that needs no Ray."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pose_mdn.batch.engines.ray_cluster import _knock, plan_crew
from pose_mdn.batch.engines.ray_standing import TRIES, Standings
from pose_mdn.batch.job import Job
from pose_mdn.errors import InputError

JOBS = [Job(source=f"{name}.npz", target=f"out/{name}.npz") for name in "abc"]


def test_a_job_that_was_done_twice_counts_once() -> None:
    standings = Standings(jobs=JOBS)
    assert standings.begin(1, "first") is None
    assert standings.begin(1, "second") is None
    standings.settle(("done", 1, "result"))
    standings.settle(("done", 1, "result again"))
    assert standings.take() == [("done", 1, "result")]
    assert standings.take() == []
    assert standings.open == 2


def test_rows_are_counted_anew_when_a_job_is_begun_again() -> None:
    standings = Standings(jobs=JOBS)
    standings.begin(0, "first")
    standings.rows(0, 0, 2000)
    standings.rows(0, 1536, 2000)
    standings.begin(0, "second")
    standings.rows(0, 0, 2000)
    standings.rows(0, 512, 2000)
    standings.rows(0, 2000, 2000)
    assert standings.take() == [
        ("rows", 0, 0, 2000), ("rows", 0, 1536, 2000),
        ("rows", 0, 0, 2000), ("rows", 0, 512, 2000), ("rows", 0, 1488, 2000),
    ]  # fmt: skip


def test_late_news_of_a_job_that_ended_are_left_out() -> None:
    standings = Standings(jobs=JOBS)
    standings.begin(0, "worker")
    standings.settle(("failed", 0, "why"))
    standings.rows(0, 512, 2000)
    assert standings.take() == [("failed", 0, "why")]


def test_a_job_that_ends_its_workers_is_refused_and_its_neighbours_are_not() -> None:
    standings = Standings(jobs=JOBS)
    for _ in range(TRIES):
        assert standings.begin(0, "worker") is None
    refusal = standings.begin(0, "worker")
    assert refusal is not None
    assert "a.npz" in refusal
    assert standings.begin(1, "worker") is None


def test_a_job_in_which_nothing_moves_is_given_up() -> None:
    now_s = 0.0
    standings = Standings(jobs=JOBS, patience_s=10.0, clock=lambda: now_s)
    standings.begin(0, "stuck")
    standings.begin(1, "moving")
    now_s = 8.0
    standings.rows(1, 512, 2000)
    now_s = 11.0
    assert standings.stuck() == ["stuck"]
    assert standings.stuck() == []
    refusal = standings.begin(0, "another")
    assert refusal is not None
    assert "nothing moved for 10 s" in refusal


def test_without_patience_nothing_is_stuck() -> None:
    now_s = 0.0
    standings = Standings(jobs=JOBS, clock=lambda: now_s)
    standings.begin(0, "worker")
    now_s = 1e6
    assert standings.stuck() == []


@pytest.mark.parametrize(
    ("cores", "wanted", "jobs", "workers", "cpus"),
    [
        ((2, 2), 0, 60, 2, 0.5),
        ((3, 3), 0, 60, 3, 0.5),
        ((2, 2), 8, 60, 8, 0.125),
        ((64, 64), 0, 5, 5, 0.5),
        ((16, 1), 0, 99, 2, 0.5),
    ],
)
def test_workers_fit_twice_into_the_cluster(
    cores: tuple[float, float], wanted: int, jobs: int, workers: int, cpus: float
) -> None:
    total, free = cores
    crew = plan_crew(total_cpus=total, free_cpus=free, wanted=wanted, jobs=jobs)
    assert (crew.workers, crew.cpus) == (workers, cpus)
    assert 2 * crew.workers * crew.cpus <= total
    assert crew.workers * crew.cpus <= free


def test_a_cluster_without_free_cores_is_refused_before_anything_waits() -> None:
    with pytest.raises(InputError, match="got 0 of 16"):
        plan_crew(total_cpus=16, free_cpus=0, wanted=0, jobs=9)
    with pytest.raises(InputError, match="got none"):
        plan_crew(total_cpus=0, free_cpus=0, wanted=0, jobs=9)


@contextmanager
def server(greeting: bytes) -> Iterator[int]:
    """A server on loopback that says one thing to each who comes; its port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.recv(64)
                connection.sendall(greeting)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def test_what_speaks_http2_may_be_ray() -> None:
    with server(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) as port:
        _knock(f"127.0.0.1:{port}")
    with server(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) as port:
        _knock(f"ray://127.0.0.1:{port}")


def test_another_server_is_refused_at_once() -> None:
    with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port, pytest.raises(InputError, match="another kind of server"):
        _knock(f"127.0.0.1:{port}")


def test_an_address_where_nobody_answers_is_refused_at_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(InputError, match="check the address"):
        _knock(f"127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["head", "ray://head", ":6379", "head:http", "http://head:8265/x"])
def test_what_is_no_address_of_a_cluster_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="cluster"):
        _knock(address)
