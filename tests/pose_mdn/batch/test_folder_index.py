import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import pose_mdn
from pose_mdn.batch.backend import identify_model
from pose_mdn.batch.events import Failed
from pose_mdn.batch.folder_index import FolderIndex, FolderPage, IndexSettings, write_index
from pose_mdn.batch.job import Job
from pose_mdn.batch.manifest import Manifest
from pose_mdn.batch.settings import LiftSettings
from pose_mdn.batch.work import JobWorker
from pose_mdn.cli.index import register
from pose_mdn.errors import FormatError, InputError
from pose_mdn.formats import read_hypotheses, read_keypoints, write_hypotheses, write_keypoints
from pose_mdn.formats.hypotheses.files import read_hypotheses_parts
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.quality import clip_quality, quality_flags
from pose_mdn.visualization.folder_entries import describe_clip

SAMPLE = Path(str(files("pose_mdn") / "samples" / "walking_clip.npz"))
ONE = IndexSettings(workers=1)


@pytest.fixture(scope="module")
def lifted() -> HypothesisSequence:
    return pose_mdn.load_lifter(threads=1).lift(read_keypoints(SAMPLE)).take(slice(20, 60))


def viewers_of(page: FolderPage) -> dict[str, str | None]:
    return {clip.name: clip.viewer for clip in page.clips}


def snapshot(folder: Path) -> dict[str, bytes]:
    """All files but those of the hidden folder, which may hold times."""
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".pose-mdn" not in path.parts
    }


def test_a_folder_without_a_manifest_is_indexed_by_its_files(lifted: HypothesisSequence, tmp_path: Path) -> None:
    (tmp_path / "day 1").mkdir()
    write_hypotheses(tmp_path / "day 1" / "walk.npz", lifted)
    write_hypotheses(tmp_path / "run.v2.parquet", lifted)
    write_hypotheses(tmp_path / "run.v2.jsonl", lifted.take(slice(0, 4)))
    write_keypoints(tmp_path / "keypoints.npz", read_keypoints(SAMPLE))
    (tmp_path / "other.jsonl").write_text('{"person": 1}\n')
    (tmp_path / "cut.npz").write_bytes((tmp_path / "day 1" / "walk.npz").read_bytes()[:3000])
    page = write_index(tmp_path, ONE)
    assert viewers_of(page) == {
        "day 1/walk": "viewers/day 1/walk.html",
        "run.v2.jsonl": "viewers/run.v2.jsonl.html",
        "run.v2.parquet": "viewers/run.v2.parquet.html",
    }
    assert all((tmp_path / str(viewer)).is_file() for viewer in viewers_of(page).values())
    assert [each.source for each in page.failed] == ["cut.npz"]
    assert page.unreadable == 1
    assert page.clips[0].quality == clip_quality(lifted)
    assert (page.clips[0].quality, page.clips[0].thumbnail) == describe_clip(lifted)
    assert "../../index.html" in (tmp_path / "viewers/day 1/walk.html").read_text("utf-8")


def test_the_same_folder_gives_the_same_bytes_whatever_is_remembered(
    lifted: HypothesisSequence, tmp_path: Path
) -> None:
    for number in range(3):
        write_hypotheses(tmp_path / f"clip{number}.npz", lifted.take(slice(number, 30)))
    write_index(tmp_path, ONE)
    first = snapshot(tmp_path)
    write_index(tmp_path, ONE)
    assert snapshot(tmp_path) == first
    (tmp_path / ".pose-mdn" / "clips.json").write_text('{"made_with": 1, "clips": [')
    write_index(tmp_path, ONE)
    assert snapshot(tmp_path) == first


def test_only_changed_clips_are_read_again(
    lifted: HypothesisSequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        write_hypotheses(tmp_path / f"{name}.npz", lifted.take(slice(0, 5)))
    write_index(tmp_path, ONE)
    write_hypotheses(tmp_path / "b.npz", lifted.take(slice(0, 9)))
    (tmp_path / "viewers" / "c.html").unlink()
    read: list[str] = []
    real = read_hypotheses_parts

    def watched(path: Path, rows: int) -> object:
        read.append(path.name)
        return real(path, rows)

    monkeypatch.setattr("pose_mdn.batch.folder_index.read_hypotheses_parts", watched)
    page = write_index(tmp_path, ONE)
    assert read == ["b.npz", "c.npz"]
    assert [clip.quality.rows for clip in page.clips] == [5, 9, 5]
    write_index(tmp_path, IndexSettings(workers=1, viewers=False))
    assert read[2:] == ["a.npz", "b.npz", "c.npz"]


def test_a_batch_s_manifest_tells_sources_formats_parts_and_failures(tmp_path: Path) -> None:
    out, source = tmp_path / "out", str(SAMPLE)
    how = LiftSettings(outputs=("npz",))
    jobs = [
        Job(source=source, target=str(out / "walk.npz")),
        *(Job(source=source, target=str(out / "big" / f"part-{i}.npz"), rows=(50 * i, 50 * i + 50)) for i in range(3)),
    ]
    failed = Job(source="in/bad.json", target=str(out / "bad.npz"))
    with Manifest.open(out) as manifest, JobWorker(how) as worker:
        manifest.begin(how, identify_model(how), resume=False)
        for job in jobs[::-1]:
            manifest.record_done(worker.run(job))
        manifest.record_failed(Failed(job=failed, error="in/bad.json: expected a document, got 0 bytes"))
    page = write_index(out, ONE)
    assert viewers_of(page) == {"big": "viewers/big.html", "walk": "viewers/walk.html"}
    big, walk = page.clips
    assert (walk.source, walk.result, walk.format, walk.skeleton) == (source, "walk.npz", "npz", "blazepose33")
    assert (big.source, big.result, big.quality.rows) == (source, "big", 150)
    whole = read_hypotheses(out / "walk.npz").take(slice(0, 150))
    assert (big.quality, big.thumbnail) == describe_clip(whole)
    assert [(each.source, each.reason) for each in page.failed] == [
        ("in/bad.json", "in/bad.json: expected a document, got 0 bytes")
    ]
    assert page.unreadable == 0


def test_processes_give_what_one_process_gives(lifted: HypothesisSequence, tmp_path: Path) -> None:
    for number in range(20):
        write_hypotheses(tmp_path / f"{number}.npz", lifted.take(slice(0, 2 + number)))
    (tmp_path / "3.npz").write_bytes(b"PK\x03\x04")
    alone = write_index(tmp_path, ONE)
    before = snapshot(tmp_path)
    (tmp_path / ".pose-mdn" / "clips.json").unlink()
    index = FolderIndex(tmp_path, IndexSettings(workers=2))
    assert len(list(index.describe())) == len(index) == 20
    assert index.write() == alone
    assert snapshot(tmp_path) == before


def test_a_clip_without_poses_has_no_viewer(lifted: HypothesisSequence, tmp_path: Path) -> None:
    unseen = replace(clip := read_keypoints(SAMPLE), confidence=np.zeros_like(clip.confidence))
    write_hypotheses(tmp_path / "none.npz", pose_mdn.load_lifter(threads=1).lift(unseen))
    write_hypotheses(tmp_path / "empty.npz", lifted.take(slice(0, 0)))
    page = write_index(tmp_path, ONE)
    assert viewers_of(page) == {"empty": None, "none": None}
    assert [flag.name for clip in page.clips for flag in quality_flags(clip.quality)] == ["nothing lifted"] * 2


def test_what_cannot_be_indexed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of results"):
        write_index(tmp_path / "none")
    (tmp_path / ".pose-mdn").mkdir()
    (tmp_path / ".pose-mdn" / "manifest.sqlite").write_bytes(b"no database at all, but long enough to be one" * 40)
    with pytest.raises(FormatError, match="manifest"):
        write_index(tmp_path)


def test_a_manifest_of_another_version_is_an_error(tmp_path: Path) -> None:
    with Manifest.open(tmp_path) as manifest:
        manifest._change("INSERT INTO jobs VALUES ('a.npz', 'a', 'done', '{\"rows\": 3}', NULL)")
    with pytest.raises(FormatError, match="of this version"):
        write_index(tmp_path)


@pytest.mark.parametrize("name", [b"walk\xe9", b"n" * 248, b"<b> %41 #?", b"-rf"])
def test_names_of_any_kind_get_a_page(lifted: HypothesisSequence, tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name + b".npz")
    write_hypotheses(path, lifted.take(slice(0, 3)))
    (tmp_path / os.fsdecode(name + b".jsonl")).write_bytes(b"{")
    result = run(tmp_path)
    assert result.exit_code == 1
    page = write_index(tmp_path, ONE)
    assert [(tmp_path / str(clip.viewer)).is_file() for clip in page.clips] == [True]
    assert "back" in (tmp_path / str(page.clips[0].viewer)).read_text("utf-8")


def test_a_place_for_viewers_that_is_taken_says_so(lifted: HypothesisSequence, tmp_path: Path) -> None:
    write_hypotheses(tmp_path / "a.npz", lifted.take(slice(0, 3)))
    (tmp_path / "viewers").write_text("mine")
    page = write_index(tmp_path, ONE)
    assert "--no-viewers" in page.failed[0].reason


@settings(deadline=None, max_examples=25)
@given(values=st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e30, -1.0]), min_size=6, max_size=6))
def test_numbers_that_are_none_spoil_nothing(
    lifted: HypothesisSequence, tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    names = ("means_m", "std_m", "keypoints_px", "mixing_coefficients", "reprojection_error_px", "view_rotation")
    changed = {name: getattr(lifted, name).copy() for name in names}
    for name, value in zip(names, values, strict=True):
        changed[name][3] = value
    quality, thumbnail = describe_clip(replace(lifted, **changed))
    assert json.dumps(quality.to_dict(), allow_nan=False)
    assert "nan" not in thumbnail
    assert len(thumbnail) < 3000
    assert quality.reprojection_px == pytest.approx(clip_quality(lifted).reprojection_px, rel=0.2)


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".jsonl"])
def test_parts_of_a_file_together_are_the_file(lifted: HypothesisSequence, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    write_hypotheses(path, lifted)
    parts = list(read_hypotheses_parts(path, 7))
    assert [len(part) for part in parts] == [7] * 5 + [5]
    whole, again = read_hypotheses(path), HypothesisSequence.concatenate(parts)
    for name, value in vars(whole).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def test_a_damaged_table_is_refused_when_its_part_comes(lifted: HypothesisSequence, tmp_path: Path) -> None:
    path = tmp_path / "clip.parquet"
    write_hypotheses(path, lifted)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"clip\.parquet"):
        list(read_hypotheses_parts(path, 7))


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["index", *map(str, arguments)])


def test_the_command_writes_the_page_and_says_so(lifted: HypothesisSequence, tmp_path: Path) -> None:
    write_hypotheses(tmp_path / "walk.npz", lifted)
    result = run(tmp_path, "--title", "A <day>", "--max-megabytes", 0.05)
    assert result.exit_code == 0, result.output
    assert re.search(r"wrote .*index\.html \(1 clip, 0 flagged, 0 failed, 1 viewer\)", result.output)
    assert "<title>A &lt;day&gt; · pose-mdn</title>" in (tmp_path / "index.html").read_text("utf-8")
    assert (tmp_path / "viewers" / "walk.html").stat().st_size < 150_000
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04")
    result = run(tmp_path, "--no-viewers", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert [clip["name"] for clip in document["clips"]] == ["walk"]
    assert document["clips"][0]["flags"] == []
    assert document["failed"][0]["input"] == "bad.npz"


@pytest.fixture
def many(lifted: HypothesisSequence, tmp_path: Path) -> Path:
    for number in range(200):
        write_hypotheses(tmp_path / f"{number:03d}.npz", lifted)
    return tmp_path


def workers_of(process: subprocess.Popen) -> list[int]:
    """Its spawned workers, once there are two that work."""
    give_up_s = time.monotonic() + 60
    while time.monotonic() < give_up_s:
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                if parent == process.pid and b"spawn_main" in (stat.parent / "cmdline").read_bytes():
                    found.append(int(stat.parent.name))
        if len(found) >= 2 and list(Path(process.args[-1]).glob("viewers/*.html")):
            return found
        assert process.poll() is None, "it ended before it was looked at"
        time.sleep(0.01)
    pytest.fail("no workers appeared")


@pytest.fixture
def indexing(many: Path) -> Iterator[subprocess.Popen]:
    code = "from pose_mdn.cli import main; main()"
    command = [sys.executable, "-c", code, "index", "--workers", "2", str(many)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate(timeout=60)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_workers_end_with_a_command_that_is_killed(indexing: subprocess.Popen) -> None:
    workers_of(indexing)
    indexing.kill()
    # The pipes close when the last of the processes has ended.
    indexing.communicate(timeout=30)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_worker_that_is_killed_costs_nothing(indexing: subprocess.Popen, many: Path) -> None:
    os.kill(workers_of(indexing)[0], signal.SIGKILL)
    said, _ = indexing.communicate(timeout=120)
    assert indexing.returncode == 0
    assert b"200 clips" in said
    assert len(list((many / "viewers").glob("*.html"))) == 200
