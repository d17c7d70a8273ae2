import json

import numpy as np
import pytest
from typer.testing import CliRunner

from pose_mdn.cli import build_app
from pose_mdn.errors import InputError
from pose_mdn.evaluation.document import file_sha256
from pose_mdn.evaluation.virtual_views import virtual_views
from pose_mdn.formats import write_hypotheses, write_keypoints
from pose_mdn.formats.cameras.human36m import human36m_cameras
from pose_mdn.skeletons import HUMAN36M17

RECORDED_JOINTS = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
"""Where the 17 joints lie among the 32 that were recorded."""


@pytest.fixture(scope="module")
def noisy(motion_file):
    return virtual_views(motion_file, "test", count=80, seed=0)[1]


def _run(*arguments: object):
    return CliRunner().invoke(build_app(), ["evaluate", *map(str, arguments)])


def test_a_split_is_measured_with_its_settings(motion_file, tmp_path):
    result = _run("--data", motion_file, "--split", "test", "--views", 40, "--json", "--plots", tmp_path)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    rows, settings = document["rows"], document["settings"]
    assert [(row["name"], row["action"]) for row in rows[:3]] == [("clean", None), ("clean", "stand"), ("noisy", None)]
    assert rows[0]["best_of_m"] == rows[1]["best_of_m"]
    # The made-up people stand upright, which the bundled lifter knows well.
    assert rows[0]["best_of_m"] < 120.0
    assert (settings["split"], settings["views"], settings["seed"], settings["balanced"]) == ("test", 40, 0, False)
    assert settings["model"].startswith("mdn_lifter/")
    assert settings["data_sha256"] == file_sha256(motion_file)
    assert len(settings["model_sha256"]) == 64
    assert {"python", "pose-mdn", "numpy", "onnxruntime"} <= set(settings["versions"])
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_files_with_truth_beside_them_are_read(noisy, tmp_path):
    write_keypoints(tmp_path / "noisy.npz", noisy.keypoints)
    np.savez(tmp_path / "noisy.truth.npz", pose_camera_m=noisy.pose_camera_m, action=noisy.action)
    result = _run(tmp_path, "--json")
    assert result.exit_code == 0, result.output
    whole, stand = json.loads(result.stdout)["rows"]
    assert (whole["name"], whole["num_lifted"], stand["action"]) == ("noisy", 80, "stand")
    plain, by_action = _run(tmp_path / "noisy.npz"), _run(tmp_path / "noisy.npz", "--by-action")
    assert "best of" in plain.stdout
    assert "noisy / stand" not in plain.stdout
    assert "noisy / stand" in by_action.stdout


def test_tables_fit_a_terminal(noisy, tmp_path):
    write_keypoints(tmp_path / "noisy.npz", noisy.keypoints)
    np.savez(tmp_path / "noisy.truth.npz", pose_camera_m=noisy.pose_camera_m)
    lines = _run(tmp_path / "noisy.npz").stdout.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 100


def test_hypotheses_name_their_own_model(random_hypotheses, tmp_path):
    hypotheses = random_hypotheses(0, rows=20)
    write_hypotheses(tmp_path / "result.npz", hypotheses)
    np.savez(tmp_path / "truth.npz", pose_camera_m=hypotheses.means_m[:, 0])
    result = _run(tmp_path / "result.npz", "--truth", tmp_path / "truth.npz", "--json")
    assert result.exit_code == 0, result.output
    settings = json.loads(result.stdout)["settings"]
    assert (settings["model"], settings["model_sha256"]) == ("test/1", None)


@pytest.fixture
def human36m(tmp_path, standing_poses):
    """The benchmark's two files with one clip of one subject."""
    world = standing_poses[:4] @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32) + np.array([0, 0, 0.95])
    recorded = np.zeros((4, 32, 3), np.float32)
    recorded[:, RECORDED_JOINTS] = world
    films = [camera.project(world).astype(np.float32) for camera in human36m_cameras("S9")]
    metadata = {
        "num_joints": 17,
        "keypoints_symmetry": [list(HUMAN36M17.left), list(HUMAN36M17.right)],
        "layout_name": "h36m",
    }
    positions, keypoints = {"S9": {"Walking": recorded}}, {"S9": {"Walking": films}}
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d=np.array(positions, dtype=object))
    np.savez(
        tmp_path / "data_2d_h36m_gt.npz",
        positions_2d=np.array(keypoints, dtype=object),
        metadata=np.array(metadata, dtype=object),
    )
    return tmp_path


def test_the_benchmark_is_measured_beside_published_results(human36m):
    result = _run("--human36m", human36m, "--keypoints", "gt", "--stride", 2, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [(row["action"], row["num_lifted"]) for row in document["rows"]] == [("Walking", 8), ("average", 8)]
    assert document["rows"][0]["best_of_m"] <= document["rows"][0]["top_1"] < 150.0
    assert {"MDN"} <= {entry["system"] for entry in document["published"]}
    assert (document["settings"]["keypoints"], document["settings"]["stride"]) == ("gt", 2)
    shown = _run("--human36m", human36m, "--keypoints", "gt").stdout
    assert "Walking" in shown
    assert "beside published results" in shown


def test_missing_truth_is_explained(noisy, tmp_path):
    write_keypoints(tmp_path / "noisy.npz", noisy.keypoints)
    result = _run(tmp_path / "noisy.npz")
    assert isinstance(result.exception, InputError)
    assert "expected its truth in" in str(result.exception)
    assert "expected files with NAME.truth.npz beside them" in str(_run(tmp_path).exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["views", "--balanced"], "--balanced: expected --data"),
        (["views", "--data", "motions.npz"], "expected one of files, --data and --human36m, got files and --data"),
        (["--data", "motions.npz", "--truth", "t.npz"], "--truth: expected the file that it belongs to"),
        (["--human36m", "folder", "--plots", "here"], "--plots: expected files or --data"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, message):
    assert message in str(_run(*arguments).exception)
