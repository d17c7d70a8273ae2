"""Files in other storages: addresses, listings, copies, and a batch from S3 to S3."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from pose_mdn.batch import storage
from pose_mdn.batch.engines.engine import EngineOptions, open_engine
from pose_mdn.batch.events import Done, Failed, Finished, Planned
from pose_mdn.batch.job import plan_jobs
from pose_mdn.batch.parts import split_jobs
from pose_mdn.batch.record import opened_record
from pose_mdn.batch.run import run_batch
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.errors import FormatError, InputError, MissingExtraError


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an empty bucket on a server that speaks S3."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    settings = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with pytest.MonkeyPatch.context() as patch, subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        for name, value in settings.items():
            patch.setenv(name, value)
        try:
            wait_for(port)
            bucket = f"s3://clips-{uuid4().hex[:8]}"
            file_system("s3").mkdir(bucket)
            yield bucket
        finally:
            server.kill()


def wait_for(port: int) -> None:
    for _ in range(300):
        with closing(socket.socket()) as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError


def file_system(protocol: str) -> Any:
    return pytest.importorskip("fsspec").filesystem(protocol)


@pytest.fixture(params=["memory", "s3"])
def place(request: pytest.FixtureRequest) -> str:
    """An address with nothing below it."""
    if request.param == "memory":
        pytest.importorskip("fsspec")
        return f"memory://{uuid4().hex}"
    return f"{request.getfixturevalue('s3')}/{uuid4().hex}"


def put(address: str, content: bytes) -> None:
    system, path = pytest.importorskip("fsspec").core.url_to_fs(address)
    system.pipe_file(path, content)


def got(address: str) -> bytes:
    system, path = pytest.importorskip("fsspec").core.url_to_fs(address)
    system.invalidate_cache()
    return system.cat_file(path)


@pytest.mark.parametrize("address", ["s3://bucket/key", "gs://b", "memory://x", "abfs://c@account/x", "s3://b/*.npz"])
def test_addresses_are_told_from_paths(address: str) -> None:
    assert storage.is_url(address)
    assert storage.local_path(address) == address


@pytest.mark.parametrize("path", ["clip.npz", "/data/clip.npz", "C://data", "-", "a:b/c", "file:///data/clip.npz"])
def test_paths_are_told_from_addresses(path: str) -> None:
    assert not storage.is_url(path)


def test_a_file_address_is_a_local_path() -> None:
    assert storage.local_path("file:///data/my%20clips/a.npz") == "/data/my clips/a.npz"


def test_local_paths_need_no_fsspec(tmp_path: Path) -> None:
    program = (
        "import sys; from pose_mdn.batch import storage\n"
        f"with storage.fetched({str(tmp_path)!r}) as path, storage.staged({str(tmp_path / 'x')!r}): pass\n"
        "assert 'fsspec' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError) as refusal:
        storage.exists("sftp://me:secret@host/clips")
    assert "secret" not in str(refusal.value)
    assert "without a password" in str(refusal.value)


def test_a_storage_that_nobody_knows_is_an_error_of_one_line() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(InputError, match=r"nosuch://x: expected .* got .*nosuch"):
        storage.exists("nosuch://x")


def test_a_storage_whose_package_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"pose-mdn\[cloud\]"):
        storage.exists("s3://bucket/key")


def test_what_was_published_is_fetched(place: str, tmp_path: Path) -> None:
    (tmp_path / "clip.npz").write_bytes(b"content")
    storage.publish(tmp_path / "clip.npz", f"{place}/below/clip.npz")
    with storage.fetched(f"{place}/below/clip.npz") as copy:
        assert copy.name == "clip.npz"
        assert copy.read_bytes() == b"content"
    assert not copy.exists()


def test_a_folder_is_fetched_without_what_is_below_it(place: str) -> None:
    for name in ("cam/0_keypoints.json", "cam/1_keypoints.json", "cam/below/2_keypoints.json"):
        put(f"{place}/{name}", b"{}")
    with storage.fetched(f"{place}/cam") as copy:
        assert copy.name == "cam"
        assert sorted(path.name for path in copy.iterdir()) == ["0_keypoints.json", "1_keypoints.json"]


def test_a_file_that_is_not_there_is_an_error_of_one_line(place: str) -> None:
    with (
        pytest.raises(InputError, match=r"gone.npz: expected a file that can be read, got"),
        storage.fetched(f"{place}/gone.npz"),
    ):
        pass


def test_errors_name_the_address_and_not_the_copy(place: str) -> None:
    put(f"{place}/clip.npz", b"x")
    with pytest.raises(FormatError, match=f"^{place}/clip.npz: damaged$"), storage.fetched(f"{place}/clip.npz") as copy:
        raise FormatError(f"{copy}: damaged")


def test_files_are_published_together_the_target_last(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = storage.transfer.publish
    monkeypatch.setattr(storage.transfer, "publish", lambda path, to: (order.append(path.name), real(path, to)))
    with storage.staged(f"{place}/clip.trc") as path:
        for name in ("clip.trc", "clip.std.csv"):
            path.with_name(name).write_bytes(name.encode())
    assert order == ["clip.std.csv", "clip.trc"]
    assert got(f"{place}/clip.std.csv") == b"clip.std.csv"


def test_nothing_is_published_after_an_error(place: str) -> None:
    def fail() -> None:
        with storage.staged(f"{place}/clip.npz") as path:
            path.write_bytes(b"half")
            raise FormatError("no")

    with pytest.raises(FormatError):
        fail()
    assert not storage.exists(f"{place}/clip.npz")


def test_a_storage_without_whole_puts_gets_a_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.transfer, "_WHOLE_PUTS", frozenset())
    address = f"memory://{uuid4().hex}/clip.npz"
    put(address, b"old")
    (tmp_path / "clip.npz").write_bytes(b"new")
    storage.publish(tmp_path / "clip.npz", address)
    assert got(address) == b"new"
    assert list(storage.sizes(address.rpartition("/")[0])) == [address]


def test_folders_are_listed_as_local_ones_are(place: str, tmp_path: Path) -> None:
    people = json.dumps({"version": 1.3, "people": []})
    files = ["a.npz", "b/c.npz", "b/.hidden.npz", ".dot/d.npz", "notes.txt", "cams/one/000_keypoints.json",
             "cams/one/001_keypoints.json", "cams/two/000_keypoints.json", "b-c.npz"]  # fmt: skip
    for name in files:
        put(f"{place}/{name}", people.encode())
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(people)
    here = plan_jobs([str(tmp_path / "in")], tmp_path / "out")
    there = plan_jobs([place], f"{place}-out")
    assert sorted(os.path.relpath(job.target, tmp_path / "out") for job in here) == sorted(
        job.target.removeprefix(f"{place}-out/") for job in there
    )
    assert {job.source for job in there} == {f"{place}/{os.path.relpath(job.source, tmp_path / 'in')}" for job in here}


def test_patterns_match_addresses(place: str) -> None:
    for name in ("a1.npz", "a2.npz", "b1.npz"):
        put(f"{place}/{name}", b"x")
    jobs = plan_jobs([f"{place}/a*.npz"], "out")
    assert [job.source for job in jobs] == [f"{place}/a1.npz", f"{place}/a2.npz"]
    assert [job.target for job in jobs] == ["out/a1.npz", "out/a2.npz"]
    with pytest.raises(InputError, match="matches"):
        plan_jobs([f"{place}/z*.npz"], "out")
    with pytest.raises(InputError, match="got nothing there"):
        plan_jobs([f"{place}/gone"], "out")


def test_a_stamp_changes_with_the_file(place: str) -> None:
    put(f"{place}/clip/0.json", b"one")
    file, folder = storage.stamp(f"{place}/clip/0.json"), storage.stamp(f"{place}/clip")
    assert file
    assert folder
    assert storage.stamp(f"{place}/clip/0.json") == file
    time.sleep(0.01)
    put(f"{place}/clip/0.json", b"two")
    assert storage.stamp(f"{place}/clip/0.json") != file
    assert storage.stamp(f"{place}/clip") != folder
    assert storage.stamp(f"{place}/gone") == ""


def fill(place: str, folder: Path, *, clips: int = 5) -> None:
    """The same clips, and one damaged file, in a storage and in a folder."""
    rng = np.random.default_rng(0)
    for number in range(clips):
        path = folder / f"day{number % 2}" / f"{number}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, keypoints=rng.uniform(100, 900, (600, 17, 2)), skeleton="coco17")
    (folder / "damaged.json").write_text("{")
    for path in folder.rglob("*.*"):
        put(f"{place}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def test_a_batch_from_s3_to_s3_gives_the_files_of_a_local_one_and_is_resumed(s3: str, tmp_path: Path) -> None:
    place, settings = f"{s3}/{uuid4().hex}", LiftSettings(outputs=("npz", "trc"))
    fill(f"{place}/in", tmp_path / "in")
    one_machine = tmp_path / "out"
    list(run_batch(plan_jobs([str(tmp_path / "in")], one_machine), settings, open_engine(), out=one_machine))
    out = f"{place}/out"
    jobs = split_jobs(plan_jobs([f"{place}/in"], out), settings)
    events = []
    first = run_batch(jobs, settings, open_engine("local", EngineOptions(workers=2)), out=out)
    for event in first:
        events.append(event)
        if sum(isinstance(event, Done) for event in events) == 2:
            first.close()
    second = list(run_batch(jobs, settings, open_engine(), out=out, resume=True))
    assert isinstance(second[0], Planned)
    assert second[0].skipped == 2
    assert [event.error.partition(":")[2][:12] for event in second if isinstance(event, Failed)]
    assert isinstance(second[-1], Finished)
    assert len(second[-1].results) == 3
    assert [failure.error.split(": ")[0] for failure in second[-1].failed] == [f"{place}/in/damaged.json"]
    local = {path.relative_to(one_machine).as_posix(): path for path in one_machine.rglob("day*/*")}
    there = {name.removeprefix(f"{out}/") for name in storage.sizes(out)}
    assert there == {*local, ".pose-mdn/manifest.sqlite"}
    assert all(got(f"{out}/{name}") == path.read_bytes() for name, path in local.items())
    with opened_record(out, lock=False) as record:
        assert len(list(record.manifest.results())) == 5
        assert all(record.manifest.is_done(job) for job in jobs if "damaged" not in job.source)
    put(f"{place}/in/day0/0.npz", (tmp_path / "in" / "day1" / "1.npz").read_bytes())
    with opened_record(out, lock=False) as record:
        assert [record.manifest.is_done(job) for job in jobs if job.source.endswith("day0/0.npz")] == [False]
