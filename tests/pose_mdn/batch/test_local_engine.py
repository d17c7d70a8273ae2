"""Worker processes: the same bytes whoever works, and nothing lost whoever dies."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.engines.local import LocalEngine
from pose_mdn.batch.events import Advanced, Done, Event, Failed, Finished, Planned, Started
from pose_mdn.batch.job import Job, plan_jobs
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError, ModelNotFoundError

WriteClip = Callable[..., Path]
Content = Callable[[Path], dict[str, str]]


@pytest.fixture
def settings(tiny_bundle: Path) -> LiftSettings:
    return LiftSettings(model=str(tiny_bundle))


def run_all(
    source: Path, out: Path, settings: LiftSettings, *, workers: int, resume: bool = False, patience_s: float = 60
) -> tuple[list[Event], Finished]:
    engine = open_engine("local", EngineOptions(workers=workers, patience_s=patience_s))
    events = list(run_batch(plan_jobs([str(source)], out), settings, engine, out=out, resume=resume))
    assert isinstance(events[-1], Finished)
    return events, events[-1]


def names(results: Sequence[Job]) -> list[str]:
    return [Path(job.source).stem for job in results]


def test_bytes_do_not_depend_on_who_works(
    tmp_path: Path, write_clip: WriteClip, content: Content, settings: LiftSettings
) -> None:
    for number, rows in enumerate((3, 1500, 0, 40, 700, 5, 512)):
        write_clip(tmp_path / "in" / f"{number}.npz", rows, seed=number)
    found = []
    for workers in (1, 3):
        _, end = run_all(tmp_path / "in", tmp_path / f"out{workers}", settings, workers=workers)
        assert (len(end.results), end.failed) == (7, ())
        found.append(content(tmp_path / f"out{workers}"))
    # One job at a time, in this process, with several threads for its slices.
    for job in plan_jobs([str(tmp_path / "in")], tmp_path / "here"):
        (*_, done) = LocalEngine(EngineOptions(workers=3)).run([job], settings)
        assert isinstance(done, Done)
    assert len(found[0]) == 7
    assert found == [content(tmp_path / "here")] * 2


def test_events_add_up(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> None:
    rows = {str(write_clip(tmp_path / "in" / f"{n}.npz", 600 * n, seed=n)): 600 * n for n in range(4)}
    (tmp_path / "in" / "bad.npz").write_text("PK no archive")
    events, end = run_all(tmp_path / "in", tmp_path / "out", settings, workers=2)
    assert events[0] == Planned(jobs=5, skipped=0, engine="local", model="tiny/3")
    started = {event.job.source: event.rows for event in events if isinstance(event, Started)}
    advanced: Counter[str] = Counter(dict.fromkeys(rows, 0))
    for event in events:
        if isinstance(event, Advanced):
            advanced[event.job.source] += event.rows
    assert started == dict(advanced) == rows
    assert {result.job.source: result.rows for result in end.results} == rows
    assert [failure.job.source for failure in end.failed] == [str(tmp_path / "in" / "bad.npz")]
    assert (end.rows, end.left, end.interrupted) == (3600, 0, False)
    ends = [event for event in events if isinstance(event, (Done, Failed))]
    assert len(ends) == 5


def test_results_come_in_the_order_of_the_plan(tmp_path: Path, write_clip: WriteClip, settings: LiftSettings) -> None:
    for number in range(9):
        write_clip(tmp_path / "in" / f"{number}.npz", 3000 if number == 0 else 3)
    _, end = run_all(tmp_path / "in", tmp_path / "out", settings, workers=2)
    assert names([result.job for result in end.results]) == list("012345678")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_kills_its_reader_fails_alone(
    tmp_path: Path, write_clip: WriteClip, troubled_settings: Callable[[], LiftSettings], workers: int
) -> None:
    for number in range(8):
        write_clip(tmp_path / "in" / f"{number}.npz", 13 if number in (2, 5) else 4)
    _, end = run_all(tmp_path / "in", tmp_path / "out", troubled_settings(), workers=workers)
    assert names([result.job for result in end.results]) == list("013467")
    assert names([failure.job for failure in end.failed]) == ["2", "5"]
    assert all("SIGSEGV" in failure.error and failure.job.source in failure.error for failure in end.failed)


def test_a_worker_that_somebody_killed_costs_nothing(
    tmp_path: Path, write_clip: WriteClip, troubled_settings: Callable[[], LiftSettings]
) -> None:
    for number in range(8):
        write_clip(tmp_path / "in" / f"{number}.npz", 17 if number == 3 else 4)
    _, end = run_all(tmp_path / "in", tmp_path / "out", troubled_settings(), workers=1)
    assert names([result.job for result in end.results]) == list("01234567")


def test_a_file_in_which_nothing_moves_is_given_up(
    tmp_path: Path, write_clip: WriteClip, troubled_settings: Callable[[], LiftSettings]
) -> None:
    for number in range(5):
        write_clip(tmp_path / "in" / f"{number}.npz", 14 if number == 1 else 4)
    _, end = run_all(tmp_path / "in", tmp_path / "out", troubled_settings(), workers=1, patience_s=0.5)
    assert names([result.job for result in end.results]) == list("0234")
    (failure,) = end.failed
    assert "nothing moved for 0.5 s" in failure.error


def test_faults_of_ours_and_want_of_memory_are_failures_of_one_job(
    tmp_path: Path, write_clip: WriteClip, troubled_settings: Callable[[], LiftSettings]
) -> None:
    for number, rows in enumerate((4, 15, 16)):
        write_clip(tmp_path / "in" / f"{number}.npz", rows)
    _, end = run_all(tmp_path / "in", tmp_path / "out", troubled_settings(), workers=1)
    assert names([result.job for result in end.results]) == ["0"]
    assert "RuntimeError: a fault of ours" in end.failed[0].error
    assert "not enough memory" in end.failed[1].error


def test_a_batch_that_is_stopped_ends_soon_and_is_resumed(
    tmp_path: Path,
    write_clip: WriteClip,
    content: Content,
    settings: LiftSettings,
    troubled_settings: Callable[[], LiftSettings],
) -> None:
    for number in range(8):
        write_clip(tmp_path / "in" / f"{number}.npz", 1001)
    jobs = plan_jobs([str(tmp_path / "in")], tmp_path / "out")
    engine = open_engine("local", EngineOptions(workers=2))
    events: list[Event] = []
    for event in run_batch(jobs, troubled_settings(), engine, out=tmp_path / "out"):
        events.append(event)
        if isinstance(event, Done):
            engine.stop()
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.interrupted
    assert len(end.results) + end.left == 8
    assert end.left > 0
    assert set(content(tmp_path / "out")) == {f"{name}.npz" for name in names([result.job for result in end.results])}
    events, again = run_all(tmp_path / "in", tmp_path / "out", troubled_settings(), workers=2, resume=True)
    assert again.skipped == len(end.results)
    assert len(again.results) == end.left
    run_all(tmp_path / "in", tmp_path / "whole", troubled_settings(), workers=1)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_batch_that_is_left_leaves_no_process_behind(
    tmp_path: Path, write_clip: WriteClip, troubled_settings: Callable[[], LiftSettings]
) -> None:
    for number in range(6):
        write_clip(tmp_path / "in" / f"{number}.npz", 14 if number == 5 else 4)
    jobs = plan_jobs([str(tmp_path / "in")], tmp_path / "out")
    events = run_batch(jobs, troubled_settings(), open_engine("local", EngineOptions(workers=2)), out=tmp_path / "out")
    while not isinstance(next(events), Done):
        pass
    events.close()
    assert children() == []


HANG = """
import sys
from pathlib import Path
from troubled_camera import TroubledCamera
from pose_mdn.batch.engines.engine import EngineOptions
from pose_mdn.batch.engines.local import LocalEngine
from pose_mdn.batch.job import plan_jobs
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings

source, out, model = sys.argv[1:]
settings = LiftSettings(model=model, camera=TroubledCamera())
for _ in run_batch(plan_jobs([source], out), settings, LocalEngine(EngineOptions(workers=2)), out=Path(out)):
    pass
"""


def test_workers_end_with_their_parent(
    tmp_path: Path, write_clip: WriteClip, troubled_settings: Callable[[], LiftSettings]
) -> None:
    for number in range(4):
        write_clip(tmp_path / "in" / f"{number}.npz", 14)
    paths = [str(tmp_path / "in"), str(tmp_path / "out"), troubled_settings().model]
    parent = subprocess.Popen(
        [sys.executable, "-c", HANG, *paths], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    workers = wait_until(lambda: len(children(parent.pid)) >= 2 and children(parent.pid))
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(alive(worker) for worker in workers))


def test_without_a_model_nothing_is_done(tmp_path: Path, write_clip: WriteClip) -> None:
    for number in range(3):
        write_clip(tmp_path / "in" / f"{number}.npz")
    with pytest.raises(ModelNotFoundError, match="mdn_lifter"):
        run_all(tmp_path / "in", tmp_path / "out", LiftSettings(model="mdn_liftr"), workers=2)
    assert not (tmp_path / "out").exists()


def test_an_unknown_engine_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean 'local'"):
        open_engine("locale")


def test_it_may_be_stopped_from_another_thread_while_a_job_runs_here(
    tmp_path: Path, write_clip: WriteClip, settings: LiftSettings
) -> None:
    source = write_clip(tmp_path / "a.npz", 40 * 512)
    engine = LocalEngine(EngineOptions(workers=1))
    events = engine.run([Job(source=str(source), target=str(tmp_path / "out.npz"))], settings)
    assert isinstance(next(events), Started)
    stopper = threading.Thread(target=engine.stop)
    stopper.start()
    stopper.join()
    assert not any(isinstance(event, Done) for event in events)
    assert not (tmp_path / "out.npz").exists()


def children(parent: int | None = None) -> list[int]:
    """Worker processes of a process, without multiprocessing's own."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(status[1]) == (parent or os.getpid()) and b"spawn_main" in command and status[0] != "Z":
            found.append(int(folder.name))
    return found


def alive(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], object], timeout_s: float = 20.0) -> list[int]:
    end_s = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end_s, "it did not come to pass"
        time.sleep(0.05)
    return found  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def no_worker_is_left_behind() -> Iterator[None]:
    yield
    wait_until(lambda: not children())
