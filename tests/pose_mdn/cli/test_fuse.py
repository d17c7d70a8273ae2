import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from pose_mdn.cli.fuse import register
from pose_mdn.formats import read_fused, read_hypotheses, write_hypotheses
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence

Run = Callable[..., Result]
NAMES = ("left", "right", "back")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return lambda *words: CliRunner().invoke(app, ["fuse", *map(str, words)], env={"COLUMNS": "240"})


@pytest.fixture
def views(tmp_path: Path, standing_poses, random_hypotheses) -> dict[str, HypothesisSequence]:
    """Three views of the same people, and their calibration `calib.toml`; each is written as `NAME.npz`."""
    truth = standing_poses[:8].astype(np.float64) * [1, -1, -1]
    written, text = {}, ""
    for number, name in enumerate(NAMES):
        rotation = cv2.Rodrigues(np.array([0.0, 0.9 * number, 0.0]))[0]
        camera = Camera(
            intrinsics=[[1100, 0, 640], [0, 1100, 360], [0, 0, 1]], rotation=rotation, translation=[0, 0, 4.0]
        )
        joints = camera.world_to_camera(truth)
        made = random_hypotheses(0, rows=8, num_hypotheses=1)
        written[name] = replace(
            made,
            means_m=(joints - joints[:, :1])[:, None].astype(np.float32),
            std_m=np.where(np.arange(17)[:, None] > 0, 0.03, 0.0).astype(np.float32)
            * np.ones((8, 1, 17, 2), np.float32),
            view_rotation=np.tile(np.eye(3, dtype=np.float32), (8, 1, 1)),
            mixing_coefficients=np.ones((8, 1), np.float32),
            root_translation_m=joints[:, None, 0].astype(np.float32),
            keypoints_px=camera.project(truth).astype(np.float32),
            intrinsics=np.tile(camera.intrinsics, (8, 1, 1)),
            image_size=(1280, 720),
        )
        write_hypotheses(tmp_path / f"{name}.npz", written[name])
        text += f"[{name}]\nsize = [1280, 720]\nmatrix = {camera.intrinsics.tolist()}\n"
        text += f"rotation = [0.0, {0.9 * number}, 0.0]\ntranslation = [0.0, 0.0, 4.0]\n"
    (tmp_path / "calib.toml").write_text(text)
    return written


def test_files_named_after_cameras_are_fused(run: Run, views, tmp_path: Path) -> None:
    done = run("left.npz", "right.npz", "back.npz", "--cameras", "calib.toml", "-o", "out/fused.npz")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "8 rows: 8 fused from two views or more",
        *(f"  {name}: 8 used (agreement 1.00)" for name in NAMES),
        "wrote out/fused.npz",
    ]
    fused = read_fused(tmp_path / "out" / "fused.npz")
    assert fused.views == NAMES
    np.testing.assert_allclose(fused.root_translation_m[:, 0], 0.0, atol=1e-3)


def test_what_is_wrong_with_a_view_is_told(run: Run, views, tmp_path: Path) -> None:
    write_hypotheses(tmp_path / "back.npz", replace(views["back"], keypoints_px=views["back"].keypoints_px + 300.0))
    done = run("left.npz", "right.npz", "back.npz", "--cameras", "calib.toml", "-o", "fused.npz")
    assert "  back: 8 left out: it shows somebody else" in done.output
    assert "right --offset" in done.output
    told = json.loads(
        run("left.npz", "right.npz", "back.npz", "--cameras", "calib.toml", "-o", "f.npz", "--json").output
    )
    assert told["views"]["back"]["status"] == {"left_out": 8}
    assert told["views"]["left"]["status"] == {"used": 8}
    assert [fault["frame"] for fault in told["faults"]] == list(range(8))
    assert told["written"] == ["f.npz"]


def test_what_a_camera_would_see_is_an_ordinary_hypotheses_file(run: Run, views, tmp_path: Path) -> None:
    words = ["left.npz", "right.npz", "--cameras", "calib.toml", "-o", "fused.npz"]
    done = run(*words, "--seen-by", "left", "--seen-by", "back")
    assert done.output.splitlines()[-1] == "wrote fused.npz, fused.left.npz, fused.back.npz"
    seen = read_hypotheses(tmp_path / "fused.left.npz")
    np.testing.assert_allclose(seen.means_m, views["left"].means_m, atol=2e-3)
    np.testing.assert_allclose(seen.keypoints_px, views["left"].keypoints_px)
    assert seen.reprojection_error_px.max() < 1.0
    other = read_hypotheses(tmp_path / "fused.back.npz")
    np.testing.assert_allclose(other.means_m, views["back"].means_m, atol=2e-3)
    assert np.isnan(other.keypoints_px).all()


def test_names_and_offsets_may_be_given(run: Run, views, tmp_path: Path) -> None:
    (tmp_path / "left.npz").rename(tmp_path / "first.npz")
    write_hypotheses(tmp_path / "right.npz", replace(views["right"], frame=views["right"].frame + 5))
    done = run("left=first.npz", "right.npz", "--cameras", "calib.toml", "-o", "fused.npz", "--offset", "right=-5")
    assert done.output.startswith("8 rows: 8 fused")
    done = run("left=first.npz", "right.npz", "--cameras", "calib.toml", "-o", "fused.npz")
    assert done.output.startswith("13 rows: 3 fused from two views or more, 10 from a single view")


def test_people_are_matched_unless_their_numbers_are_to_be_trusted(run: Run, views, tmp_path: Path) -> None:
    """A second person 2 m beside the first, numbered the other way round by the second camera."""
    for number, name in enumerate(NAMES[:2]):
        view = views[name]
        rotation = cv2.Rodrigues(np.array([0.0, 0.9 * number, 0.0]))[0]
        root = view.root_translation_m + (rotation @ [2.0, 0.0, 0.5]).astype(np.float32)
        joints = (view.means_m + root[:, :, None])[:, 0]
        points = joints[..., :2] / joints[..., 2:] * 1100 + [640, 360]
        other = replace(view, root_translation_m=root, keypoints_px=points.astype(np.float32))
        both = HypothesisSequence.concatenate([view, other])
        first = np.full(8, number)
        write_hypotheses(tmp_path / f"{name}.npz", replace(both, person=np.concatenate([first, 1 - first])))
    words = ["left.npz", "right.npz", "--cameras", "calib.toml", "-o", "fused.npz", "--seen-by", "right"]
    matched = run(*words).output
    assert matched.startswith("16 rows: 16 fused from two views or more\n")
    assert matched.count("16 used (agreement 1.00)") == 2
    seen = read_hypotheses(tmp_path / "fused.right.npz")
    assert seen.reprojection_error_px.max() < 5.0
    assert "16 used (agreement 1.00)" not in run(*words, "--people", "numbers").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["first.npz"],
            "expected the name of a camera (left, right, back), got 'first', or say which: CAMERA=first.npz",
        ),
        (["middle=left.npz"], "expected the name of a camera (left, right, back), got 'middle'"),
        (["left.npz", "left=right.npz"], "expected one file for camera 'left', got also left.npz"),
        (["left.npz", "--seen-by", "top"], "--seen-by: expected one of left, right, back, got 'top'"),
        (["left.npz", "--offset", "left=soon"], "--offset: expected NAME=FRAMES, such as left=-12, got 'left=soon'"),
        (["left.npz", "--offset", "right=3"], "--offset: expected one of left, got 'right'"),
    ],
)
def test_what_is_wrong_with_the_words_is_told(run: Run, views, words: list[str], message: str) -> None:
    done = run(*words, "--cameras", "calib.toml", "-o", "fused.npz")
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())
