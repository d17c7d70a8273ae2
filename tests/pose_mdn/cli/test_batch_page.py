"""The page on batches keeps its word."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pose_mdn.batch.events import Advanced, Failed, Finished, Planned, Started, event_document
from pose_mdn.batch.job import Job
from pose_mdn.cli import EXIT_FAILED, EXIT_USAGE, build_app
from pose_mdn.cli.lift_run import EXIT_INTERRUPTED

PAGE = (Path(__file__).parents[3] / "docs" / "batch.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_every_option_that_it_names_exists() -> None:
    helps = [
        CliRunner().invoke(build_app(), [command, "--help"], env={"COLUMNS": "300"}).stdout
        for command in ("lift", "watch", "index")
    ]
    benchmarks = {"--clips", "--rows", "--seed"}
    known = set(re.findall(r"--[a-z][a-z-]+", "".join(helps))) | benchmarks
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) - known == set()


def test_its_exit_codes_are_the_codes() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)]
    assert codes == [0, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED]


def test_its_events_have_the_keys_of_events() -> None:
    shown = {event["event"]: event for event in map(json.loads, blocks("json")[0].splitlines())}
    job = Job(source="a", target="b")
    real = [
        event_document(event)
        for event in (
            Planned(jobs=1, skipped=0, engine="local", model="m/1"),
            Started(job=job, rows=1),
            Advanced(job=job, rows=1),
            Failed(job=job, error=""),
            Finished(model="m/1", results=(), failed=()),
        )
    ]
    for event in real:
        assert set(shown[event["event"]]) <= set(event)
    assert set(shown) == {"done", *(event["event"] for event in real)}


def test_its_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clips").mkdir()
    np.savez(tmp_path / "clips" / "a.npz", keypoints=np.full((3, 17, 2), np.nan), skeleton="coco17")
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[0], "docs/batch.md", "exec"), {})
    assert capsys.readouterr().out == "1 done, 0 failed\n"
    assert (tmp_path / "poses" / "a.csv").is_file()
