"""A batch on a real Ray cluster of three nodes on this machine: killed nodes, killed drivers, the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.engines.ray_conductor import TASKS_PER_WORKER
from pose_mdn.batch.events import Done, Event, Failed, Finished, Planned, Started
from pose_mdn.batch.job import Job, plan_jobs
from pose_mdn.batch.manifest import Manifest
from pose_mdn.batch.parts import split_jobs
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import InputError
from pose_mdn.formats import write_keypoints
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.skeletons import get_skeleton

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
NODES = 3
NUM_CLIPS = 60
SETTINGS = LiftSettings()
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, the same in IPv6, and ::1."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three nodes of one core each, on the loopback interface."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0")
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    # The names of sockets below it must stay short.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    small: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    alert = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    cluster = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={**small, "include_dashboard": False, "temp_dir": folder, "_system_config": alert},
    )
    try:
        for _ in range(NODES - 1):
            cluster.add_node(**small, wait=False)
        cluster.wait_for_nodes(120)
        yield cluster
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 clips, a table of several parts, and a damaged file."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for number in range(NUM_CLIPS):
        place = folder / f"day{number % 3}" / f"clip{number:02}.npz"
        place.parent.mkdir(exist_ok=True)
        np.savez(place, keypoints=rng.uniform(100, 900, (512, 17, 2)).astype(np.float32), skeleton="coco17")
    table = KeypointSequence(
        keypoints_px=rng.uniform(100, 900, (2000, 17, 2)).astype(np.float32),
        confidence=np.ones((2000, 17), np.float32),
        skeleton=get_skeleton("coco17"),
        frame=np.arange(2000),
        person=np.zeros(2000, np.int64),
    )
    write_keypoints(folder / "large.parquet", table)
    (folder / "damaged.json").write_text('[{"image_id": 1, "keypoints": [1, 2')
    return folder


def planned(clips: Path, out: Path) -> list[Job]:
    jobs = split_jobs(plan_jobs([str(clips)], out), SETTINGS, rows_per_part=512)
    assert Counter(job.rows is not None for job in jobs) == {False: NUM_CLIPS + 1, True: 4}
    return jobs


@pytest.fixture(scope="module")
def one_machine(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT of an undisturbed run on one machine."""
    out = tmp_path_factory.mktemp("one") / "out"
    events = list(run_batch(planned(clips, out), SETTINGS, open_engine("local", EngineOptions(workers=1)), out=out))
    assert isinstance(events[-1], Finished)
    assert len(events[-1].results) == NUM_CLIPS + 4
    return out


def contents(out: Path) -> dict[str, bytes]:
    """All files of a folder of results, but those of the batch itself."""
    files = [path for path in out.rglob("*") if path.is_file() and path.parent.name != ".pose-mdn"]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def remembered(out: Path) -> list[Any]:
    """What the manifest holds, but for times and for where OUT is."""
    with Manifest.open(out) as manifest:
        done = [replace(result, seconds=0.0, job=replace(result.job, target="")) for result in manifest.results()]
        outputs = [[(Path(file.path).relative_to(out), file.size) for file in result.outputs] for result in done]
        failed = [(failure.job.source, failure.error) for failure in manifest.failures()]
    return [*zip([replace(result, outputs=()) for result in done], outputs, strict=True), failed]


def processes_below(parent: int) -> list[int]:
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    below = [process for process, its in parents.items() if its == parent]
    return below + [deeper for process in below for deeper in processes_below(process)]


def another_node(cluster: Any) -> Any:
    """A node that is not the one that this process is connected to, where the conductor is."""
    ours = pytest.importorskip("ray").get_runtime_context().get_node_id()
    return next(node for node in cluster.worker_nodes if node.node_id != ours)


def kill_hard(node: Any) -> None:
    raylet = node.all_processes["raylet"][0].process.pid
    for process in [raylet, *processes_below(raylet)]:
        os.kill(process, signal.SIGKILL)


def names(events: Sequence[Event], kind: type[Done] | type[Failed]) -> list[str]:
    jobs = [event.result.job if isinstance(event, Done) else event.job for event in events if isinstance(event, kind)]
    return sorted(job.target for job in jobs)


def most_in_flight(events: Sequence[Event]) -> int:
    started: set[str] = set()
    most = 0
    for event in events:
        if isinstance(event, Started):
            started.add(event.job.target)
        elif isinstance(event, Done):
            started.discard(event.result.job.target)
        most = max(most, len(started))
    return most


def test_a_node_that_is_killed_half_way_changes_nothing(
    cluster: Any, clips: Path, one_machine: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    jobs = planned(clips, out)
    engine = open_engine("ray", EngineOptions(cluster=cluster.address))
    events: list[Event] = []
    for event in run_batch(jobs, SETTINGS, engine, out=out):
        events.append(event)
        if sum(isinstance(event, Done) for event in events) == NUM_CLIPS // 3 and isinstance(event, Done):
            kill_hard(another_node(cluster))
    done, failed = names(events, Done), names(events, Failed)
    assert sorted(done + failed) == sorted(job.target for job in jobs), "each job ends once"
    assert failed == [str(out / "damaged.npz")]
    assert contents(out) == contents(one_machine)
    assert remembered(out) == remembered(one_machine)
    assert capfd.readouterr().out == "", "Ray's messages would spoil the events on stdout"
    cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20, wait=False)


DRIVER = """
import sys
from pathlib import Path
from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.events import Done
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings
from tests_of_ray import planned
clips, out = Path(sys.argv[2]), Path(sys.argv[3])
engine = open_engine("ray", EngineOptions(cluster=sys.argv[1]))
for event in run_batch(planned(clips, out), LiftSettings(), engine, out=out):
    if isinstance(event, Done):
        print("done", flush=True)
"""


def test_a_batch_whose_driver_was_killed_is_resumed(
    cluster: Any, clips: Path, one_machine: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copy(__file__, tmp_path / "tests_of_ray.py")
    (tmp_path / "driver.py").write_text(DRIVER)
    arguments = [sys.executable, tmp_path / "driver.py", cluster.address, clips, out]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        for _ in range(NUM_CLIPS // 2):
            assert driver.stdout.readline() == "done\n"
        driver.kill()
    jobs = planned(clips, out)
    engine = open_engine("ray", EngineOptions(cluster=cluster.address))
    events = list(run_batch(jobs, SETTINGS, engine, out=out, resume=True))
    assert isinstance(events[0], Planned)
    # What was done in the last quarter of a second may not be in the manifest yet.
    assert 0 < events[0].skipped < len(jobs)
    assert events[0].skipped + len(names(events, Done)) == NUM_CLIPS + 4
    # Twice what workers may have, since word of a job that is done comes later than that of the next one's beginning.
    assert 1 < most_in_flight(events) <= 2 * TASKS_PER_WORKER * NODES
    assert contents(out) == contents(one_machine)
    assert remembered(out) == remembered(one_machine)


def test_a_batch_that_is_stopped_ends_and_leaves_the_cluster(cluster: Any, clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs = planned(clips, out)
    engine = open_engine("ray", EngineOptions(cluster=cluster.address))
    events: list[Event] = []
    for event in run_batch(jobs, SETTINGS, engine, out=out):
        events.append(event)
        if isinstance(event, Done):
            engine.stop()
    assert isinstance(events[-1], Finished)
    assert events[-1].interrupted
    assert events[-1].left > 0
    whole = {path for path in out.rglob("*.npz") if not path.name.startswith(".")}
    assert {Path(target) for target in names(events, Done)} <= whole
    for path in whole:
        np.load(path)["means"]
    assert len(cluster.global_state._live_node_ids()) >= NODES - 1


def test_nodes_that_do_not_see_the_files_are_named(cluster: Any, tmp_path: Path) -> None:
    jobs = [Job(source=str(tmp_path / "gone.npz"), target=str(tmp_path / "out" / "gone.npz"))]
    with pytest.raises(InputError, match=r"node 127.0.0.1: .* got no .*gone.npz; put inputs and OUT on storage"):
        list(open_engine("ray", EngineOptions(cluster=cluster.address)).run(jobs, SETTINGS))


def test_a_cluster_of_our_own_listens_to_this_machine_only_and_ends(clips: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    before = set(processes_below(os.getpid()))
    jobs = planned(clips, tmp_path / "out")[:3]
    listening: set[str] = set()
    for event in open_engine("ray", EngineOptions(workers=1)).run(jobs, SETTINGS):
        if isinstance(event, Done):
            started = set(processes_below(os.getpid())) - before
            assert started
            listening |= {address for process in started for address in listened(process)}
    assert listening <= LOOPBACK
    assert listening
    assert set(processes_below(os.getpid())) <= before


def listened(process: int) -> set[str]:
    """Addresses that a process listens at, as `/proc/net/tcp` writes them."""
    sockets = set()
    for handle in Path(f"/proc/{process}/fd").glob("*"):
        try:
            sockets.add(os.readlink(handle))
        except OSError:
            continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in sockets:
                found.add(local.partition(":")[0])
    return found


def test_what_other_machines_cannot_read_is_refused() -> None:
    with pytest.raises(InputError, match="piped in"):
        list(open_engine("ray").run([Job(source="-", target="x.npz")], SETTINGS))
    assert list(open_engine("ray").run([], SETTINGS)) == []
