"""Unknown cameras and known metres on the command line, with the shipped lifter and clip."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from pose_mdn.cli import build_app
from pose_mdn.formats import read_hypotheses
from pose_mdn.geometry.known_body import stature_m

CLIP = str(files("pose_mdn") / "samples" / "walking_clip.npz")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def invoke(*options: str) -> Result:
        arguments = ["lift", CLIP, "-o", str(tmp_path / "out.npz"), "--threads", "1", *options]
        return CliRunner().invoke(build_app(), arguments)

    return invoke


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_an_estimated_focal_length_is_told_and_carried(run: Run, tmp_path: Path) -> None:
    result = run("--estimate-focal", "--json")
    assert result.exit_code == 0, result.output
    (summary,) = json.loads(result.stdout.splitlines()[-1])["results"]
    found = read_hypotheses(tmp_path / "out.npz")
    assert found.intrinsics_source == summary["intrinsics"]
    assert "68 %" in found.intrinsics_source
    assert np.isfinite(found.root_std_m[found.lifted]).all()


def test_a_size_known_beside_it_narrows_the_distance(run: Run, tmp_path: Path) -> None:
    run("--estimate-focal")
    before = read_hypotheses(tmp_path / "out.npz")
    result = run("--estimate-focal", "--stature", "1.7")
    assert result.exit_code == 0, result.output
    after = read_hypotheses(tmp_path / "out.npz")
    rows = after.lifted
    np.testing.assert_allclose(stature_m(after.means_m[rows]), 1.7, rtol=1e-5)
    relative = [h.root_std_m[rows, :, 1] / h.root_translation_m[rows, :, 2] for h in (before, after)]
    assert (relative[1] < relative[0]).all()


def test_known_distances_and_grounds_are_used_and_said(run: Run, tmp_path: Path) -> None:
    result = run("--known-distance", "l_hip:l_knee=0.45", "--known-distance", "l_knee:l_ankle=0.45")
    assert result.exit_code == 0, result.output
    found = read_hypotheses(tmp_path / "out.npz")
    assert "l_hip to l_knee 0.45 m and l_knee to l_ankle 0.45 m" in found.size_source
    assert np.ptp(stature_m(found.means_m[found.lifted])) < 1e-4
    assert f"size {found.size_source}" in result.stdout
    assert "rows stand on it" in run("--camera-height", "2.2", "--camera-tilt", "5").stdout
    assert "ground plane given" in run("--ground-plane", "0,1,0.09,-2.2").stdout


def test_givens_that_contradict_each_other_are_both_stated(run: Run) -> None:
    result = run("--stature", "1.2", "--known-distance", "l_hip:l_knee=0.6")
    assert result.exit_code == 1
    assert "stature 1.2 m" in result.stderr
    assert "l_hip to l_knee 0.6 m" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--estimate-focal", "--fov", "60"], "leave out --fov"),
        (["--estimate-focal", "--intrinsics", "1,1,1,1"], "leave out --intrinsics"),
        (["--known-distance", "l_wrist:r_wrist=0.5"], "move against each other"),
        (["--known-distance", "l_hip=0.5"], "JOINT:JOINT=METRES"),
        (["--camera-height", "1.5"], "expected both or none"),
        (["--camera-roll", "5"], "--camera-height and --camera-tilt beside it"),
        (["--camera-height", "1.5", "--camera-tilt", "120"], "within 90 degrees"),
        (["--camera-height", "0", "--camera-tilt", "10"], "above the ground"),
        (["--ground-plane", "0,1,0"], "nx,ny,nz,d"),
        (["--ground-plane", "0,1,0,1", "--ground-up", "z"], "leave out --ground-up"),
        (["--ground-up", "z"], "--camera with a place in the world"),
    ],
)
def test_impossible_options_are_explained(run: Run, options: list[str], says: str) -> None:
    result = run(*options)
    assert result.exit_code == 2
    assert says in words(result.stderr)


def test_a_calibrated_world_brings_its_ground(run: Run, tmp_path: Path) -> None:
    calibration = tmp_path / "c.toml"
    calibration.write_text(
        "[cam]\nsize = [1768, 994]\nmatrix = [[1757.0, 0.0, 883.5], [0.0, 1757.0, 496.5], [0.0, 0.0, 1.0]]\n"
        "distortions = []\nrotation = [1.5708, 0.0, 0.0]\ntranslation = [0.0, 2.2, 0.0]\n"
    )
    result = run("--camera", f"{calibration}:cam", "--ground-up", "z")
    assert result.exit_code == 0, result.output
    assert "ground at z = 0 of the calibrated world" in result.stdout


def test_the_help_groups_what_belongs_together(run: Run) -> None:
    shown = run("--help").stdout
    for panel in ("Camera", "Size", "Output"):
        assert f"─ {panel} ─" in shown
