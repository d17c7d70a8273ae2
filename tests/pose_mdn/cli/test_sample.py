import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from pose_mdn.cli.sample import register
from pose_mdn.errors import PoseMDNError
from pose_mdn.formats.poses_npz import read_poses, write_poses


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    application = typer.Typer()
    application.callback()(lambda: None)
    register(application)
    return application


def _run(app: typer.Typer, *arguments: object) -> str:
    result = CliRunner().invoke(app, ["sample", *map(str, arguments)])
    if isinstance(result.exception, PoseMDNError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_poses_and_their_picture_are_written_and_repeat(app, tmp_path):
    for name in ("one", "two"):
        _run(app, "pose_vae", "-n", 4, "--seed", 7, "-o", tmp_path / f"{name}.npz", "--picture", tmp_path / "s.svg")
    np.testing.assert_array_equal(read_poses(tmp_path / "one.npz"), read_poses(tmp_path / "two.npz"))
    assert (tmp_path / "s.svg").read_text().count("<line") == 4 * 16


def test_classes_come_in_turn_or_as_asked(app):
    every = json.loads(_run(app, "pose_cvae", "-n", 12, "--json"))
    assert len({pose["label"] for pose in every["poses"]}) == 12
    one = json.loads(_run(app, "pose_cvae", "-n", 3, "--label", "walking", "--json"))
    assert [pose["label"] for pose in one["poses"]] == ["walking"] * 3
    assert np.array(one["poses"][0]["pose_m"]).shape == (17, 3)


@pytest.fixture
def given(app, tmp_path) -> Path:
    _run(app, "-n", 3, "-o", tmp_path / "given.npz")
    return tmp_path / "given.npz"


def test_missing_joints_are_filled(app, given, tmp_path):
    poses = read_poses(given)
    holes = poses.copy()
    holes[:, 3] = np.nan
    write_poses(tmp_path / "holes.npz", holes, {})
    _run(app, "--complete", tmp_path / "holes.npz", "-o", tmp_path / "whole.npz")
    whole = read_poses(tmp_path / "whole.npz")
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(np.delete(whole, 3, axis=1), np.delete(poses, 3, axis=1), atol=1e-6)


def test_poses_are_joined_and_denoised(app, given, tmp_path):
    _run(app, "--interpolate", given, "-n", 6, "-o", tmp_path / "between.npz")
    assert len(read_poses(tmp_path / "between.npz")) == 6
    _run(app, "--denoise", given, "--noise-mm", 20, "-o", tmp_path / "smooth.npz")
    assert np.isfinite(read_poses(tmp_path / "smooth.npz")).all()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("mdn_lifter",), "prior"),
        (("pose_vae", "--label", "walking"), "not conditioned"),
        (("pose_cvae", "--label", "flying"), "walking"),
        (("pose_vae", "--complete", "a.npz", "--denoise", "b.npz"), "at most one"),
        (("nobody",), "pose_vae"),
        (("pose_vae", "--complete", "nowhere.npz"), "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said(app, arguments, match):
    with pytest.raises(PoseMDNError, match=match):
        _run(app, *arguments)


def test_poses_of_another_frame_are_refused(app, given, tmp_path):
    poses = read_poses(given)
    np.savez(tmp_path / "camera.npz", pose=poses, frame=np.array("camera"))
    with pytest.raises(PoseMDNError, match="upright"):
        _run(app, "--complete", tmp_path / "camera.npz")
