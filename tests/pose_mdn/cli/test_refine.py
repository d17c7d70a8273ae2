import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from pose_mdn.cli.refine import register
from pose_mdn.formats import read_hypotheses, read_keypoints, write_hypotheses
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.refinement import RefinementSettings, refine_hypotheses

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *words: CliRunner().invoke(app, ["refine", *map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def clip() -> HypothesisSequence:
    return (
        load_lifter()
        .lift(read_keypoints(Path(str(files("pose_mdn") / "samples" / "walking_clip.npz"))))
        .take(slice(20, 60))
    )


@pytest.fixture
def result(clip: HypothesisSequence, tmp_path: Path) -> Path:
    write_hypotheses(tmp_path / "result.npz", clip)
    return tmp_path / "result.npz"


def test_the_file_holds_what_the_library_finds(run: Run, result: Path, clip: HypothesisSequence, tmp_path) -> None:
    done = run(result, "-o", tmp_path / "refined.npz", "--noise", 0.004)
    assert done.exit_code == 0, done.output
    assert f"{clip.lifted.sum()} of 40 rows refined" in done.output
    written = read_hypotheses(tmp_path / "refined.npz")
    expected = refine_hypotheses(clip, RefinementSettings(noise=0.004))
    np.testing.assert_allclose(written.means_m, expected.means_m, atol=1e-6)
    np.testing.assert_allclose(written.mixing_coefficients, expected.mixing_coefficients, atol=1e-6)
    assert written.model == "mdn_lifter/1+refined"


def test_json_tells_how_much_changed(run: Run, result: Path, tmp_path: Path) -> None:
    done = run(result, "-o", tmp_path / "refined.parquet", "--json")
    (summary,) = json.loads(done.stdout)["results"]
    assert summary["reprojection_px_after"] < summary["reprojection_px_before"]
    assert summary["moved_mm"] > 0
    kept = run(result, "-o", tmp_path / "kept.npz", "--keep-poses", "--json")
    assert json.loads(kept.stdout)["results"][0]["moved_mm"] == 0
    kept = run(result, "-o", tmp_path / "kept.npz", "--keep-coefficients", "--json")
    assert json.loads(kept.stdout)["results"][0]["another_most_probable"] == 0


def test_one_bad_file_stops_no_other_one(run: Run, result: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no archive")
    done = run(bad, result, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "bad.npz" in done.stderr
    assert "1 of 2 files refined" in done.output
    assert read_hypotheses(tmp_path / "out" / "result.npz").model.endswith("+refined")
    again = run(tmp_path / "out" / "result.npz", "-o", tmp_path / "again.npz")
    assert again.exit_code == 1
    assert "refined before" in again.stderr


def test_nobody_to_refine_is_no_failure(run: Run, clip: HypothesisSequence, tmp_path: Path) -> None:
    write_hypotheses(tmp_path / "nobody.npz", clip.take(slice(0, 0)))
    done = run(tmp_path / "nobody.npz", "-o", tmp_path / "out.npz")
    assert done.exit_code == 0, done.output
    assert "0 of 0 rows refined" in done.output


def test_nothing_to_do_is_refused(run: Run, result: Path, tmp_path: Path) -> None:
    done = run(result, "-o", tmp_path / "out.npz", "--keep-poses", "--keep-coefficients")
    assert done.exit_code == 2
    assert "nothing to do" in done.output
    assert "noise: expected" in str(run(result, "-o", tmp_path / "out.npz", "--noise", 3).exception)
