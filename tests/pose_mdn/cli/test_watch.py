"""`pose-mdn watch` as people run it: a process that is told to end by Ctrl-C."""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pose_mdn.cli import build_app
from pose_mdn.formats import read_hypotheses


def write_people(path: Path, count: int, seed: int = 0) -> None:
    points = np.random.default_rng(seed).uniform(100, 900, (count, 17, 2))
    np.savez(path, keypoints=points, skeleton="coco17", image_size=[1000, 1000])


@contextmanager
def watching(folder: Path, out: Path, model: Path, *options: str) -> Iterator[tuple[subprocess.Popen, queue.Queue]]:
    """The process, and the events that it prints."""
    code = "import sys; from pose_mdn.cli import main; main()"
    timing = ["--settle", "0.2", "--interval", "0.05", "--give-up", "1"]
    command = [sys.executable, "-c", code, "watch", str(folder), "-o", str(out), "--model", str(model), "--json"]
    process = subprocess.Popen([*command, *timing, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    events: queue.Queue = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            events.put(json.loads(line))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield process, events
    finally:
        process.kill()
        reader.join(timeout=30)
        process.stderr.close()
        process.wait(timeout=30)


def next_of(events: queue.Queue, *kinds: str) -> dict:
    while (event := events.get(timeout=60))["event"] not in kinds:
        pass
    return event


def test_files_are_lifted_as_they_arrive_until_ctrl_c(tmp_path: Path, tiny_bundle: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    with watching(folder, out, tiny_bundle, "--to", "npz,csv") as (process, events):
        write_people(folder / "first.npz", 3)
        assert next_of(events, "done", "failed")["rows"] == 3
        (folder / "bad.json").write_text('[{"image_id": 1')
        failed = next_of(events, "done", "failed")
        assert failed["event"] == "failed"
        assert "bad.json" in failed["error"]
        (folder / "deep").mkdir()
        write_people(folder / "deep" / "second.npz", 4)
        assert next_of(events, "done", "failed")["rows"] == 4
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        said = process.stderr.read()
    assert "2 lifted (7 rows), 1 failed" in said
    assert len(read_hypotheses(out / "deep" / "second.npz")) == 4
    assert (out / "deep" / "second.csv").is_file()


def test_results_among_the_sources_are_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    arguments = ["watch", str(tmp_path), "-o", str(tmp_path / "out"), "--model", str(tiny_bundle)]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code != 0
    assert "expected a folder outside of" in str(result.exception)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(build_app(), ["watch", str(tmp_path / "none"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_options_of_lifting_are_those_of_lift() -> None:
    runner = CliRunner()
    lift, watch = (
        runner.invoke(build_app(), [name, "--help"], env={"COLUMNS": "200"}).output for name in ("lift", "watch")
    )
    for option in ("--model", "--mapping", "--server", "--pose", "--camera", "--stature", "--min-confidence"):
        assert option in lift
        assert option in watch
    assert "--settle" in watch
    assert "--settle" not in lift


@pytest.mark.parametrize("option", ["--settle", "--give-up"])
def test_times_below_zero_are_refused(tmp_path: Path, option: str) -> None:
    result = CliRunner().invoke(build_app(), ["watch", str(tmp_path), "-o", str(tmp_path / "out"), option, "-1"])
    assert result.exit_code == 2
