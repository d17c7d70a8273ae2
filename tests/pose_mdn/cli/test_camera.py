import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from pose_mdn.cli.camera import register
from pose_mdn.errors import FormatError

PAGE = Path(__file__).parents[3] / "docs" / "cameras.md"
CALIBRATION = """
[left]
size = [1920, 1080]
matrix = [[1100.0, 0, 959.5], [0, 1090, 539.5], [0, 0, 1]]
rotation = [0.0, 3.141592653589793, 0.0]
translation = [1.0, -1.5, 4.0]
[right]
matrix = [[700.0, 0, 640], [0, 700, 360], [0, 0, 1]]
fisheye = true
distortions = [0.1, 0.02, 0.0, 0.0]
"""
Show = Callable[..., Result]


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    (tmp_path / "calib.toml").write_text(CALIBRATION)
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)
    return lambda *words: CliRunner().invoke(app, ["camera", "show", *words], env={"COLUMNS": "200"})


def test_a_table_of_all_cameras(show: Show) -> None:
    result = show("calib.toml")
    assert result.exit_code == 0, result.output
    left, right = (line for line in result.output.splitlines() if line.startswith(("left", "right")))
    # It looks back along the world's z axis, from 4 m before the origin.
    cells = [
        "1920x1080",
        "1100.0 1090.0",
        "959.5 539.5",
        "82.2 x 52.7",
        "1.000 1.500 4.000",
        "0.00 0.00 -1.00",
        "ideal",
    ]
    assert re.split(r" {2,}", left.strip()) == ["left", *cells]
    assert "fisheye 0.1 0.02 0 0" in right
    assert right.count("?") == 2


def test_json_says_all_of_one_camera(show: Show) -> None:
    result = show("calib.toml:left", "--json")
    (camera,) = json.loads(result.output)["cameras"]
    assert camera["name"] == "left"
    assert camera["image_size"] == [1920, 1080]
    assert camera["field_of_view_deg"] == pytest.approx([2 * np.rad2deg(np.arctan(960 / 1100)), 52.70], abs=0.01)
    np.testing.assert_allclose(camera["position_m"], [1, 1.5, 4], atol=1e-12)
    np.testing.assert_allclose(camera["looks_along"], [0, 0, -1], atol=1e-12)
    rotation, translation = np.array(camera["rotation"]), np.array(camera["translation_m"])
    np.testing.assert_allclose(rotation @ camera["position_m"] + translation, 0, atol=1e-12)
    right = json.loads(show("calib.toml:right", "--json").output)["cameras"][0]
    assert (right["lens_model"], right["distortion"]) == ("fisheye", [0.1, 0.02, 0.0, 0.0])
    assert (right["image_size"], right["field_of_view_deg"]) == (None, [None, None])


def test_a_fisheye_may_see_more_than_half_of_the_world(show: Show, tmp_path: Path) -> None:
    lens = (
        "matrix = [[300.0, 0, 499.5], [0, 300, 399.5], [0, 0, 1]]\nfisheye = true\ndistortions = [0.0, 0.0, 0.0, 0.0]"
    )
    (tmp_path / "wide.toml").write_text(f"[a]\nsize = [1000, 800]\n{lens}")
    (camera,) = json.loads(show("wide.toml", "--json").output)["cameras"]
    assert camera["field_of_view_deg"] == pytest.approx(np.rad2deg([1000 / 300, 800 / 300]))


def test_cameras_far_away_raise_the_question_of_units(show: Show, tmp_path: Path) -> None:
    (tmp_path / "mm.toml").write_text(CALIBRATION.replace("[1.0, -1.5, 4.0]", "[1000.0, -1500.0, 4000.0]"))
    assert "millimetres?" in show("mm.toml").output
    assert "millimetres?" not in show("calib.toml").output
    (tmp_path / "mm.toml").write_text((tmp_path / "mm.toml").read_text() + "[metadata]\nunit = 'mm'\n")
    assert "1.000 1.500 4.000" in show("mm.toml").output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["calib.toml:lef"], "did you mean 'left'"),
        (["absent.toml"], "No such file"),
        (["calib.toml", "--format", "colmap"], "cameras.txt"),
    ],
)
def test_mistakes_are_explained(show: Show, words: list[str], says: str) -> None:
    result = show(*words)
    assert isinstance(result.exception, FormatError)
    assert says in str(result.exception)


def test_the_page_s_example_runs(show: Show, tmp_path: Path) -> None:
    del show  # leaves us in an empty folder
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (table,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "calib.toml").write_text(table)
    exec(compile(example, str(PAGE), "exec"), {})
