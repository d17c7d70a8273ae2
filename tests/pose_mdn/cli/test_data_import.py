"""`pose-mdn data import`, from files to a training batch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from pose_mdn.cli import build_app
from pose_mdn.cli.motion_labels import PathPattern, label
from pose_mdn.config import CameraConfig
from pose_mdn.data.cameras import film
from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.motion_file import read_motion_file
from pose_mdn.errors import InputError
from pose_mdn.skeletons import HUMAN36M17

JOINTS = {name: index for index, name in enumerate(HUMAN36M17.joint_names)}


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(build_app(), ["data", "import", *map(str, arguments)])


def bvh_of(poses: np.ndarray) -> str:
    """A BVH whose joints have only positions, all of them children of one still root: any pose can be written."""
    lines = ["HIERARCHY", "ROOT world", "{", "OFFSET 0 0 0", "CHANNELS 3 Xposition Yposition Zposition"]
    for name in HUMAN36M17.joint_names:
        lines += [f"JOINT {name}", "{", "OFFSET 0 0 0", "CHANNELS 3 Xposition Yposition Zposition", "}"]
    lines += ["}", "MOTION", f"Frames: {len(poses)}", "Frame Time: 0.0333333333"]
    lines += [" ".join(["0 0 0", *(f"{value:.6f}" for value in pose.ravel())]) for pose in poses]
    return "\n".join(lines)


def turning(pose: np.ndarray, frames: int = 20) -> np.ndarray:
    """Somebody who keeps a pose and turns round."""
    turns = Rotation.from_euler("y", np.linspace(0, 6, frames)[:, None]).as_matrix()
    return np.einsum("tij,kj->tki", turns, pose).astype(np.float32) + np.array([0, 0.95, 0], np.float32)


@pytest.fixture
def recordings(tmp_path, standing_poses) -> Path:
    folder = tmp_path / "recordings"
    for place, subject in enumerate(("anna", "ben", "eva", "tom")):
        for trial in ("walk_1", "sit_2"):
            (folder / subject).mkdir(parents=True, exist_ok=True)
            (folder / subject / f"{trial}.bvh").write_text(bvh_of(turning(standing_poses[place])))
    return folder


def test_a_folder_becomes_a_file_that_trains(tmp_path, recordings, run, standing_poses) -> None:
    output = tmp_path / "motions.npz"
    result = run(recordings, "-o", output, "--validation", "ben", "--test", "eva,tom", "--licence", "CC0")
    assert result.exit_code == 0, result.output
    assert "8 motions (2 train, 2 validation, 4 test)" in result.output
    train = read_motion_data(output, "train")
    np.testing.assert_allclose(train.pose_m[:20], turning(standing_poses[0]), atol=1e-5)
    joints = film(
        torch.from_numpy(train.pose_m - train.pose_m[:, :1]), CameraConfig(), torch.Generator().manual_seed(0)
    )
    assert torch.isfinite(joints).all()
    with np.load(output, allow_pickle=False) as file:
        assert set(file) == {
            "pose", "valid", "seq_start", "seq_len", "subject", "trial", "action", "source", "licence", "fps", "split",
            "joint_names", "parents",
        }  # fmt: skip
        assert set(file["licence"]) == {"CC0"}
        assert file["source"][0] == "sit_2.bvh"


def test_labels_come_from_the_path(tmp_path, recordings, run) -> None:
    output = tmp_path / "m.npz"
    result = run(recordings, "-o", output, "--path-pattern", "{subject}/{action}_{trial}.bvh", "--json")
    assert result.exit_code == 0, result.output
    labels = [(entry.subject, entry.action, entry.trial) for entry in read_motion_file(output)]
    assert labels[:2] == [("anna", "sit", "2"), ("anna", "walk", "1")]
    summary = json.loads(result.stdout)
    assert summary["total_motions"] == 8
    assert summary["splits"] == {"train": 4, "validation": 2, "test": 2}
    assert summary["motions"][0]["naming"] == "Human3.6M-17"


def test_one_bad_file_does_not_spoil_the_others(tmp_path, recordings, run) -> None:
    output = tmp_path / "m.npz"
    (recordings / "anna" / "sit_2.bvh").write_text("HIERARCHY\nROOT\n")
    result = run(recordings, "-o", output)
    assert result.exit_code == 1
    assert "sit_2.bvh: expected (line 2) a named ROOT" in result.stderr
    assert len(read_motion_file(output)) == 7


def test_nothing_is_written_if_nothing_can_be_read(tmp_path, run) -> None:
    (tmp_path / "a.bvh").write_text("no")
    result = run(tmp_path / "a.bvh", "-o", tmp_path / "m.npz")
    assert result.exit_code == 1
    assert "nothing was written" in result.output
    assert not (tmp_path / "m.npz").exists()


def test_append_keeps_what_is_there_and_refuses_the_same_trial(tmp_path, recordings, run) -> None:
    output = tmp_path / "m.npz"
    assert run(recordings / "anna", "-o", output).exit_code == 0
    result = run(recordings / "anna", recordings / "ben", "-o", output, "--append", "--validation", "ben")
    assert result.exit_code == 1
    assert "'walk_1' of 'anna' again" in result.stderr
    found = [(entry.subject, entry.split) for entry in read_motion_file(output)]
    assert found == [("anna", "train")] * 2 + [("ben", "validation")] * 2


def test_a_misspelt_subject_is_refused_before_writing(tmp_path, recordings, run) -> None:
    result = run(recordings, "-o", tmp_path / "m.npz", "--validation", "benn")
    assert isinstance(result.exception, InputError)
    assert "did you mean 'ben'" in str(result.exception)
    assert not (tmp_path / "m.npz").exists()


def test_human36m_is_imported_with_its_subjects_and_actions(tmp_path, standing_poses, run) -> None:
    poses = turning(standing_poses[0])
    world = poses[..., [0, 2, 1]] * np.array([1, -1, 1], np.float32)
    clips = {"Walking 1": world, "Walking": world, "Sitting 2": world}
    folder = tmp_path / "h36m"
    folder.mkdir()
    np.savez(folder / "data_3d_h36m.npz", positions_3d=np.array({"S1": clips, "S9": clips}, dtype=object))
    np.savez(folder / "data_2d_h36m_gt.npz", positions_2d=np.array({}, dtype=object))
    output = tmp_path / "m.npz"
    result = run(folder, "-o", output, "--test", "S9", "--fps", "50", "--source", "Human3.6M")
    assert result.exit_code == 0, result.output
    records = read_motion_file(output)
    assert {(entry.subject, entry.split) for entry in records} == {("S1", "train"), ("S9", "test")}
    assert {entry.action for entry in records} == {"Walking", "Sitting"}
    assert {entry.source for entry in records} == {"Human3.6M"}
    np.testing.assert_allclose(records[0].pose_m, poses, atol=1e-6)


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("{subject}/{trial}.bvh", "a/b/c.bvh", {"subject": "b", "trial": "c"}),
        ("{subject}/{trial}", "a/b/c.bvh", {"subject": "b", "trial": "c"}),
        ("{subject}/*/{action}.c3d", "x/anna/day1/jump.c3d", {"subject": "anna", "action": "jump"}),
        ("S{subject}_{action}_{trial}.amc", "S07_walk_12.amc", {"subject": "07", "action": "walk", "trial": "12"}),
    ],
)
def test_patterns(pattern, path, found) -> None:
    assert PathPattern(pattern).match(Path(path)) == found


def test_patterns_that_cannot_be_meant_are_refused() -> None:
    for pattern in ("walk.bvh", "{who}.bvh", "{subject}/{subject}.bvh"):
        with pytest.raises(InputError, match="path-pattern"):
            PathPattern(pattern)
    with pytest.raises(InputError, match=r"expected a path that fits"):
        PathPattern("{subject}_{trial}.bvh").match(Path("walk.bvh"))


def test_cmu_names_hold_the_subject_and_other_folders_do() -> None:
    options = {"pattern": None, "subject": None, "action": None}
    assert label(Path("x/07_12.amc"), "07_12", **options).subject == "07"
    assert label(Path("x/walk.amc"), "walk", **options).subject == "x"
    assert label(Path("x/07_12.amc"), "07_12", **{**options, "subject": "me"}).subject == "me"
