import importlib.util
import json
from pathlib import Path

import cv2
import pytest
import typer
from typer.testing import CliRunner, Result

from pose_mdn.cli.lecture import register
from pose_mdn.errors import InputError, MissingExtraError
from pose_mdn.lecture.catalogue import EXAMPLES

NAMES = [example.name for example in EXAMPLES]


def run(*words: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["lecture", *words], env={"COLUMNS": "200"})


@pytest.mark.parametrize("name", NAMES)
def test_every_example_runs_and_draws(name: str, tmp_path: Path) -> None:
    out = tmp_path / "picture.png"
    result = run(name, "--quick", "--json", "--out", str(out))
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["example"] == name
    assert document["quick"] is True
    findings = {finding["name"]: finding for finding in document["findings"]}
    assert len(findings) == len(document["findings"]) >= 2
    assert all(finding["meaning"] and finding["expected"] for finding in findings.values())
    picture = cv2.imread(str(out))
    assert min(picture.shape[:2]) > 400
    assert (picture != 255).mean() > 0.02
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, again, other = (run("robot-arm", "--quick", "--json", "--seed", seed).stdout for seed in ("3", "3", "4"))
    assert first == again
    assert first != other.replace('"seed": 4', '"seed": 3')


def test_the_table_has_what_was_measured_beside_what_the_lecture_says(tmp_path: Path) -> None:
    result = run("three-modes", "--quick", "--out", str(tmp_path / "modes.svg"))
    assert result.exit_code == 0, result.output
    assert "modes found along the ridgeline" in result.stdout
    assert "the lecture says" in result.stdout
    assert "the numbers mean nothing" in result.stdout
    assert (tmp_path / "modes.svg").read_text().startswith("<?xml")


def test_help_lists_and_explains_the_examples() -> None:
    listed = run("--help").output
    assert all(name in listed for name in NAMES)
    for example in EXAMPLES:
        explained = " ".join(run(example.name, "--help").output.split())
        assert example.title in explained
        assert example.teaches[:40] in explained


@pytest.mark.parametrize(
    ("out", "message"), [("picture.bmp", r"\.png, \.svg, \.pdf"), ("nowhere/p.png", "a folder that exists")]
)
def test_pictures_that_cannot_be_written_are_refused_at_once(out: str, message: str, tmp_path: Path) -> None:
    result = run("vae", "--out", str(tmp_path / out))
    assert isinstance(result.exception, InputError)
    with pytest.raises(InputError, match=message):
        raise result.exception


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else find(name))
    result = run("vae", "--quick")
    assert isinstance(result.exception, MissingExtraError)
    assert "needs sklearn" in str(result.exception)
    assert "pose-mdn[lecture]" in str(result.exception)
