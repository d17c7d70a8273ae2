import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

import pose_mdn
from pose_mdn.cli.check import register
from pose_mdn.errors import InputError
from pose_mdn.formats import read_keypoints, write_hypotheses
from pose_mdn.inference import load_lifter
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import check_reprojection
from pose_mdn.skeletons import HUMAN36M17

CLIP = Path(pose_mdn.__file__).parent / "samples" / "walking_clip.npz"
FLIP = list(HUMAN36M17.flip_indices)

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *words: CliRunner().invoke(app, ["check", *map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def lifted() -> HypothesisSequence:
    return load_lifter().lift(read_keypoints(CLIP)).take(slice(20, 60))


@pytest.fixture
def result(lifted: HypothesisSequence, tmp_path: Path) -> Path:
    write_hypotheses(tmp_path / "result.npz", lifted)
    return tmp_path / "result.npz"


def _keypoints_file(path: Path, lifted: HypothesisSequence, keypoints: np.ndarray) -> Path:
    np.savez(path, keypoints=keypoints, skeleton="human36m17", frame=lifted.frame, person=lifted.person)
    return path


def _calibration(path: Path, lifted: HypothesisSequence, focal: float = 1.0) -> Path:
    matrix = (np.diag([focal, focal, 1.0]) @ lifted.intrinsics[0]).tolist()
    size = list(lifted.image_size)
    path.write_text(
        f"[here]\nsize = {size}\nmatrix = {matrix}\n"
        f"[beside]\nsize = {size}\nmatrix = {matrix}\nrotation = [0.0, 0.0, 0.0]\ntranslation = [0.5, 0.0, 0.0]\n"
    )
    return path


def test_what_agrees_is_told_in_words_and_ends_with_0(run: Run, result: Path) -> None:
    done = run(result)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "40 of 40 rows, 5 hypotheses each"
    assert done.output.splitlines()[-1] == "verdict: agrees with the picture"


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_disagrees_is_named_and_ends_with_1(
    run: Run, result: Path, lifted: HypothesisSequence, tmp_path: Path, mirrored: bool
) -> None:
    keypoints = lifted.keypoints_px[:, FLIP]
    if mirrored:
        keypoints = keypoints * [-1, 1] + [lifted.image_size[0] - 1, 0]
    done = run(result, "--keypoints", _keypoints_file(tmp_path / "seen.npz", lifted, keypoints))
    assert done.exit_code == 1
    assert ("is mirrored" if mirrored else "left and right are exchanged") in done.output.splitlines()[-1]


def test_a_camera_with_another_focal_length_is_named(
    run: Run, result: Path, lifted: HypothesisSequence, tmp_path: Path
) -> None:
    camera = _calibration(tmp_path / "camera.toml", lifted, focal=1.3)
    done = run(result, "--camera", f"{camera}:here")
    assert done.exit_code == 1
    assert "verdict: this is another camera" in done.output
    assert re.search(r"people are 0\.7[5-8] times as large as projected", done.output)
    assert run(result, "--camera", f"{camera}:here", "--estimate-root").exit_code == 0
    assert run(result, "--camera", f"{camera}:here", "--tolerance", 2.0).exit_code == 0


def test_json_says_what_the_library_finds(run: Run, result: Path, lifted: HypothesisSequence) -> None:
    done = run(result, "--json", "--level", 0.9, "--noise", 0.02)
    assert done.exit_code == 0
    document, found = json.loads(done.stdout), check_reprojection(lifted)
    assert document["verdict"] == "none"
    assert document["verdict_text"] == "agrees with the picture"
    assert (document["level"], document["noise_of_size"]) == (0.9, 0.02)
    assert [row["frame"] for row in document["rows"]] == lifted.frame.tolist()
    hypothesis = document["rows"][3]["hypotheses"][2]
    assert hypothesis["rms_px"] == pytest.approx(found.agreement.rms_px[3, 2], abs=1e-3)
    assert hypothesis["passes"] == found.passes[3, 2]
    assert hypothesis["reasons"] == list(found.reasons(3, 2))
    assert len(hypothesis["error_px"]) == len(document["joint_names"]) == 17


def test_another_calibrated_camera_needs_the_one_lifted_with(
    run: Run, result: Path, lifted: HypothesisSequence, tmp_path: Path
) -> None:
    cameras = _calibration(tmp_path / "cameras.toml", lifted)
    root = lifted.root_translation_m[:, :1] + [0.5, 0, 0]
    joints = lifted.means_m[:, 0] + root
    pixels = joints @ lifted.intrinsics[0].T
    seen = _keypoints_file(tmp_path / "seen.npz", lifted, pixels[..., :2] / pixels[..., 2:])
    through = ("--camera", f"{cameras}:beside", "--keypoints", seen)
    assert run(result, *through, "--lifted-with", f"{cameras}:here").exit_code == 0
    assert run(result, *through).exit_code == 1
    refused = run(result, "--lifted-with", f"{cameras}:here")
    assert isinstance(refused.exception, InputError)


def test_keypoints_of_other_frames_are_refused(
    run: Run, result: Path, lifted: HypothesisSequence, tmp_path: Path
) -> None:
    later = replace(lifted, frame=lifted.frame + 1000)
    done = run(result, "--keypoints", _keypoints_file(tmp_path / "seen.npz", later, lifted.keypoints_px))
    assert "check that both count frames and people alike" in str(done.exception)


def test_a_page_is_written_beside_the_answer(
    run: Run, result: Path, lifted: HypothesisSequence, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    width, height = lifted.image_size
    cv2.imwrite(str(tmp_path / "pictures" / f"{lifted.frame[0]}.jpg"), np.zeros((height, width, 3), np.uint8))
    page = tmp_path / "report.html"
    done = run(result, "--json", "-o", page, "--images", tmp_path / "pictures", "--max-megabytes", 3)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["verdict"] == "none"
    assert "wrote " in done.stderr
    assert "data:image/jpeg;base64," in page.read_text("utf-8")
    assert run(result, "--images", tmp_path / "pictures").exit_code == 2


@pytest.mark.parametrize("words", [("--level", 95), ("--noise", 0), ("--tolerance", "nan")])
def test_settings_that_mean_nothing_are_refused(run: Run, result: Path, words: tuple[object, ...]) -> None:
    assert "expected a number" in str(run(result, *words).exception)
