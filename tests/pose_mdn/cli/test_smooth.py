import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

import pose_mdn
from pose_mdn.cli.smooth import register
from pose_mdn.formats import read_hypotheses, read_keypoints, write_hypotheses
from pose_mdn.geometry.body import KnownBody
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.video import AFTER_FUSION, smooth_sequence

CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *words: CliRunner().invoke(app, ["smooth", *map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def lifted() -> HypothesisSequence:
    return load_lifter().lift(read_keypoints(CLIP)).take(slice(20, 50))


@pytest.fixture
def result(lifted: HypothesisSequence, tmp_path: Path) -> Path:
    write_hypotheses(tmp_path / "result.npz", lifted)
    return tmp_path / "result.npz"


@pytest.mark.parametrize("options", [(), ("--no-relift",), ("--lag", "3"), ("--no-relift", "--lag", "3")])
def test_a_file_comes_out_with_the_same_rows_and_less_jitter(
    run: Run, result: Path, lifted: HypothesisSequence, tmp_path: Path, options: tuple[str, ...]
) -> None:
    out = tmp_path / "smooth.parquet"
    answer = run(result, "-o", out, "--json", *options)
    assert answer.exit_code == 0, answer.output
    (summary,) = json.loads(answer.stdout)["results"]
    before, after = summary["jitter_mm_s2"]
    assert after < 0.6 * before
    assert summary["lifted_again"] == ("--no-relift" not in options)
    found = read_hypotheses(out)
    np.testing.assert_array_equal(found.frame, lifted.frame)
    np.testing.assert_array_equal(found.status, lifted.status)
    assert not np.array_equal(found.means_m, lifted.means_m)


def test_people_read_what_was_done(run: Run, result: Path, tmp_path: Path) -> None:
    answer = run(result, "-o", tmp_path / "smooth.npz", "--fps", "25")
    assert "30 rows, 30 lifted; keypoints smoothed and lifted again; 25 frames per second, given" in answer.stdout
    assert "mean acceleration" in answer.stdout


def test_a_known_size_is_not_lost(run: Run, tmp_path: Path) -> None:
    sized = load_lifter().lift(read_keypoints(CLIP).take(slice(20, 30)), body=KnownBody(stature_m=1.2))
    write_hypotheses(tmp_path / "sized.npz", sized)
    answer = run(tmp_path / "sized.npz", "-o", tmp_path / "smooth.npz")
    assert "hypotheses smoothed as lifted" in answer.stdout
    assert read_hypotheses(tmp_path / "smooth.npz").size_source == sized.size_source


def test_one_bad_file_does_not_stop_the_others(run: Run, result: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no archive")
    answer = run(result, bad, "-o", tmp_path / "out")
    assert answer.exit_code == 1
    assert "bad.npz" in answer.stderr
    assert (tmp_path / "out" / "result.npz").is_file()


def test_a_model_that_is_not_there_is_named(run: Run, result: Path, tmp_path: Path) -> None:
    answer = run(result, "-o", tmp_path / "smooth.npz", "--model", "nothing")
    assert answer.exit_code == 1
    assert "nothing" in answer.stderr
    assert not (tmp_path / "smooth.npz").exists()


def test_help_shows_an_example(run: Run) -> None:
    assert "pose-mdn smooth walk_3d.npz" in run("--help").stdout


def test_people_without_identities_are_followed(run: Run, lifted: HypothesisSequence, tmp_path: Path) -> None:
    """Two people whose places in the file alternate."""
    moved = replace(lifted, keypoints_px=lifted.keypoints_px + np.float32([700.0, 0.0]))
    moved = replace(moved, root_translation_m=moved.root_translation_m + np.float32([3.0, 0.0, 0.0]))
    both = HypothesisSequence.concatenate([lifted, moved])
    order = np.arange(len(lifted))
    rows = np.stack([order, order + len(lifted)], axis=1)
    rows[::2] = rows[::2, ::-1]
    numbers = np.tile([0, 1], len(lifted))
    crowd = replace(both.take(rows.ravel()), person=numbers, tracked=False)
    write_hypotheses(tmp_path / "crowd.npz", crowd)
    answer = run(tmp_path / "crowd.npz", "-o", tmp_path / "smooth.npz")
    assert answer.exit_code == 0, answer.output
    assert "2 people followed" in answer.stdout
    found = read_hypotheses(tmp_path / "smooth.npz")
    assert found.tracked
    is_first = rows.ravel() < len(lifted)
    assert len(set(found.person[is_first].tolist())) == len(set(found.person[~is_first].tolist())) == 1


@pytest.mark.parametrize("change", ["refined", "uncertain_root"])
def test_what_lifting_again_would_lose_is_kept(
    run: Run, lifted: HypothesisSequence, tmp_path: Path, change: str
) -> None:
    changed = {
        "refined": replace(lifted, model=lifted.model + "+refined"),
        "uncertain_root": replace(lifted, root_std_m=np.full((*lifted.mixing_coefficients.shape, 2), 0.2, np.float32)),
    }[change]
    write_hypotheses(tmp_path / "given.npz", changed)
    answer = run(tmp_path / "given.npz", "-o", tmp_path / "smooth.npz", "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["results"][0]["lifted_again"] is False


def test_fused_poses_are_smoothed_by_settings_of_their_own(
    run: Run, lifted: HypothesisSequence, tmp_path: Path
) -> None:
    fused = replace(lifted, size_source="given: several calibrated views")
    write_hypotheses(tmp_path / "fused.npz", fused)
    answer = run(tmp_path / "fused.npz", "-o", tmp_path / "smooth.npz")
    assert answer.exit_code == 0, answer.output
    found = read_hypotheses(tmp_path / "smooth.npz")
    np.testing.assert_allclose(found.std_m, smooth_sequence(fused, AFTER_FUSION).std_m, rtol=1e-5)
    assert not np.allclose(found.std_m, smooth_sequence(fused).std_m, rtol=1e-2)
