"""`pose-mdn lift` on folders: what it says, how it ends, and that it can be ended at any moment."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from pose_mdn.batch.lock import locked
from pose_mdn.cli import build_app

Run = Callable[..., Result]


@pytest.fixture
def run(tiny_bundle: Path) -> Run:
    app = build_app()

    def invoke(*arguments: str | Path) -> Result:
        words = ["lift", "--model", str(tiny_bundle), *map(str, arguments)]
        return CliRunner().invoke(app, words, env={"COLUMNS": "200"})

    return invoke


def start(bundle: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from pose_mdn.cli import main; main()", "lift", "--model", str(bundle)]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Of its own, as a terminal gives one to every command, so that Ctrl-C reaches the workers, too.
        start_new_session=True,
    )


def write_clips(folder: Path, count: int, *, damaged: int = 0, rows: int = 5) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number:03}.npz"
        keypoints = rng.uniform(100, 900, (rows, 17, 2)).astype(np.float32)
        np.savez(path, keypoints=keypoints, skeleton="coco17", image_size=[1920, 1080])
        if number < damaged:
            path.write_bytes(path.read_bytes()[: 100 + number])
    return folder


def content(folder: Path) -> dict[str, str]:
    """Checksums of all results, and of anything else that should not be there; the pages are looked at elsewhere."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".pose-mdn" not in path.parts]
    found = [path for path in files if path.suffix != ".html"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def events(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_json_tells_all_that_happens(run: Run, tmp_path: Path) -> None:
    result = run(write_clips(tmp_path / "in", 4, damaged=1), "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    told = events(result.stdout)
    assert (told[0]["event"], told[0]["jobs"], told[0]["skipped"]) == ("planned", 4, 0)
    kinds = [event["event"] for event in told]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "planned": 1, "started": 3, "advanced": 3, "done": 3, "failed": 1, "finished": 1,
    }  # fmt: skip
    end = told[-1]
    assert (end["event"], end["model"], end["rows"], end["interrupted"]) == ("finished", "tiny/3", 15, False)
    assert [Path(entry["input"]).name for entry in end["results"]] == ["001.npz", "002.npz", "003.npz"]
    assert [Path(entry["input"]).name for entry in end["failed"]] == ["000.npz"]
    entry = end["results"][0]
    assert entry["status"] == {"lifted": 5}
    assert entry["recognised"]["format"] == "npz"
    assert entry["outputs"] == [{"path": entry["output"], "size": Path(entry["output"]).stat().st_size}]
    assert len(result.stderr.splitlines()) == 1


def test_what_is_done_is_left_out_when_resumed(run: Run, tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in", 4, damaged=1)
    assert run(source, "-o", tmp_path / "out", "--resume").exit_code == 1
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.npz")}
    (tmp_path / "out" / "001.npz").unlink()
    (tmp_path / "out" / ".002.npz.0123abcd.tmp").write_bytes(b"half")
    (tmp_path / "out" / ".001.npz.0123abcd.tmp").write_bytes(b"half")
    result = run(source, "-o", tmp_path / "out", "--resume")
    assert result.exit_code == 1
    assert "1 of 2 inputs lifted by tiny/3; 2 were done already" in result.stdout
    assert "000.npz" in result.stderr
    assert set(content(tmp_path / "out")) == {"001.npz", "002.npz", "003.npz"}
    for name in ("002.npz", "003.npz"):
        assert (tmp_path / "out" / name).stat().st_mtime_ns == before[tmp_path / "out" / name]


def test_other_settings_are_not_mixed_into_a_folder(run: Run, tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in", 2)
    assert run(source, "-o", tmp_path / "out").exit_code == 0
    result = run(source, "-o", tmp_path / "out", "--resume", "--min-confidence", "0.3")
    assert "min_confidence was 0.1, is 0.3" in str(result.exception)
    assert run(source, "-o", tmp_path / "out", "--resume", "--workers", "1", "--threads", "2").exit_code == 0


def test_resuming_needs_a_folder(run: Run, tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in", 1)
    result = run(source / "000.npz", "-o", tmp_path / "out.npz", "--resume")
    assert result.exit_code == 2
    assert "--resume needs a folder as OUT" in words(result.stderr)


def test_two_runs_do_not_share_a_folder(run: Run, tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in", 2)
    with locked(tmp_path / "out"):
        result = run(source, "-o", tmp_path / "out")
    assert f"one of process {os.getpid()}" in str(result.exception)
    assert content(tmp_path / "out") == {}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Run, tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in", 3, damaged=1)
    (source / "notes.json").write_text('{"hello": 1}')
    result = run(source, "-o", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert (
        f"{source / '001.npz'} (npz, coco17, sure to 90%: the ending .npz) -> {tmp_path / 'out' / '001.npz'}" in lines
    )
    assert any(line.startswith(f"{source / 'notes.json'}: cannot be read: expected one of") for line in lines)
    assert lines[-1] == "2 would be lifted, 2 cannot be read"
    assert not (tmp_path / "out").exists()
    run(source, "-o", tmp_path / "out")
    before = content(tmp_path / "out")
    told = events(run(source, "-o", tmp_path / "out", "--dry-run", "--resume", "--json").stdout)
    assert [event.get("action") for event in told] == ["fail", "skip", "skip", "fail", None]
    assert (told[-1]["lift"], told[-1]["skip"], told[-1]["fail"]) == (0, 2, 2)
    assert content(tmp_path / "out") == before


def test_several_file_types_are_written_side_by_side(run: Run, tmp_path: Path) -> None:
    source = write_clips(tmp_path / "in", 2)
    result = run(source, "-o", tmp_path / "out", "--to", "npz, csv", "--pose", "top")
    assert result.exit_code == 0, result.output
    assert {"000.npz", "000.csv", "001.npz", "001.csv"} <= set(content(tmp_path / "out"))
    assert run(source / "000.npz", "-o", tmp_path / "one.csv", "--to", "parquet").exit_code == 0
    assert (tmp_path / "one.csv").is_file()
    assert (tmp_path / "one.parquet").is_file()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--to", "npz,trcc"], "trc"),
        (["--mapping", "motionbert"], "names, mmpose"),
        (["--rows-per-part", "1000"], "multiple of 512"),
        (["--pose", "best"], "mean"),
        (["--engine", "locale"], "did you mean 'local'"),
        (["--workers", "-1"], "--workers"),
    ],
)
def test_impossible_options_are_explained(run: Run, tmp_path: Path, options: list[str], says: str) -> None:
    result = run(write_clips(tmp_path / "in", 2), "-o", tmp_path / "out", *options)
    assert result.exit_code in (1, 2)
    assert says in words(result.stderr + str(result.exception))
    assert not content(tmp_path / "out")


def test_sums_are_printed_for_many_files(run: Run, tmp_path: Path) -> None:
    result = run(write_clips(tmp_path / "in", 22), "-o", tmp_path / "out", "--workers", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "110 rows: 110 lifted"
    assert "22 of 22 inputs lifted by tiny/3" in lines[:4]


def test_ctrl_c_ends_a_batch_soon_and_loses_nothing(tmp_path: Path, tiny_bundle: Path) -> None:
    source = write_clips(tmp_path / "in", 150, rows=600)
    process = start(tiny_bundle, source, "-o", tmp_path / "out", "--workers", "2", "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "done":
            break
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    end = events(stdout)[-1]
    assert (end["event"], end["interrupted"], end["failed"]) == ("finished", True, [])
    done = {Path(entry["output"]).name for entry in end["results"]}
    assert len(done) + end["left"] == 150
    assert set(content(tmp_path / "out")) == done


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path, tiny_bundle: Path) -> None:
    source = write_clips(tmp_path / "in", 150, rows=600)
    process = start(tiny_bundle, source, "-o", tmp_path / "out", "--workers", "2", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "done":
            break
    os.killpg(process.pid, signal.SIGINT)
    process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert not list((tmp_path / "out").glob(".*.tmp"))


def kill_somebody(process: subprocess.Popen[str], chance: random.Random) -> None:
    """SIGKILL to the command, or to one of its workers."""
    children = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if parent_of(path) == process.pid and b"spawn_main" in (path.parent / "cmdline").read_bytes()
    ]
    victim = chance.choice([process.pid, process.pid, *children])
    os.kill(victim, signal.SIGKILL)


def parent_of(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_killed_at_any_moment_and_resumed_it_gives_the_same_bytes(tmp_path: Path, tiny_bundle: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown if the test fails
    chance = random.Random(seed)
    source = write_clips(tmp_path / "in", 60, damaged=3, rows=700)
    options = [source, "--workers", "2", "--resume"]
    whole = start(tiny_bundle, *options, "-o", tmp_path / "whole")
    began_s = time.monotonic()
    whole.communicate(timeout=60)
    took_s = time.monotonic() - began_s
    assert whole.returncode == 1
    for _ in range(4):
        process = start(tiny_bundle, *options, "-o", tmp_path / "out")
        try:
            process.wait(chance.uniform(0.3 * took_s, took_s))
        except subprocess.TimeoutExpired:
            kill_somebody(process, chance)
        process.communicate(timeout=60)
    last = start(tiny_bundle, *options, "-o", tmp_path / "out", "--json")
    stdout, stderr = last.communicate(timeout=60)
    assert last.returncode == 1, stderr
    end = events(stdout)[-1]
    assert end["skipped"] + len(end["results"]) == 57
    assert [Path(entry["input"]).name for entry in end["failed"]] == ["000.npz", "001.npz", "002.npz"]
    assert content(tmp_path / "out") == content(tmp_path / "whole")
