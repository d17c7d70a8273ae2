import json

import numpy as np
import pytest
from typer.testing import CliRunner

from pose_mdn.cli import build_app
from pose_mdn.errors import InputError
from pose_mdn.evaluation.virtual_views import virtual_views
from pose_mdn.formats import write_keypoints
from pose_mdn.geometry.pinhole import camera_to_slopes, slopes_to_pixels


@pytest.fixture(scope="module")
def views(motion_file):
    return {each.name: each for each in virtual_views(motion_file, "test", count=80, seed=0)}


def test_rows_are_those_of_the_standard_table(views):
    assert list(views) == ["clean", "noisy", "one_missing", "two_missing"]
    missing = {name: (each.keypoints.confidence == 0).sum(axis=1) for name, each in views.items()}
    assert {name: set(counts.tolist()) for name, counts in missing.items()} == {
        "clean": {0}, "noisy": {0}, "one_missing": {1}, "two_missing": {2}
    }  # fmt: skip


def test_clean_keypoints_are_the_projected_truth(views):
    clean = views["clean"]
    projected = slopes_to_pixels(camera_to_slopes(clean.pose_camera_m), clean.keypoints.intrinsics)
    np.testing.assert_allclose(clean.keypoints.keypoints_px, projected, atol=1e-2)
    off = np.linalg.norm(views["noisy"].keypoints.keypoints_px - projected, axis=-1)
    assert 1.0 < np.median(off) < 30.0


def test_command_evaluates_a_split_per_action(motion_file):
    arguments = ["evaluate", "--data", str(motion_file), "--split", "test", "--views", "40", "--json"]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows[:3]] == ["clean", "clean / stand", "noisy"]
    assert rows[0]["best_of_m"] == rows[1]["best_of_m"]
    # The made-up people stand upright, which the bundled lifter knows well.
    assert rows[0]["best_of_m"] < 120.0


def test_command_reads_files_with_truth_beside_them(views, tmp_path):
    noisy = views["noisy"]
    write_keypoints(tmp_path / "noisy.npz", noisy.keypoints)
    np.savez(tmp_path / "noisy.truth.npz", pose_camera_m=noisy.pose_camera_m)
    result = CliRunner().invoke(build_app(), ["evaluate", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert row["name"] == "noisy"
    assert row["num_lifted"] == 80
    table = CliRunner().invoke(build_app(), ["evaluate", str(tmp_path / "noisy.npz")])
    assert "best-of-M" in table.stdout


def test_missing_truth_is_explained(views, tmp_path):
    write_keypoints(tmp_path / "noisy.npz", views["noisy"].keypoints)
    result = CliRunner().invoke(build_app(), ["evaluate", str(tmp_path / "noisy.npz")])
    assert isinstance(result.exception, InputError)
    assert "expected its truth in" in str(result.exception)
    result = CliRunner().invoke(build_app(), ["evaluate", str(tmp_path)])
    assert "expected files with NAME.truth.npz beside them" in str(result.exception)
