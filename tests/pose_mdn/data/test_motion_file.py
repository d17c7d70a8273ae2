"""The motion data file: what is written is read, whole and split by split, and trains."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from pose_mdn.data.mocap import read_motion_data
from pose_mdn.data.motion_file import MotionRecord, read_motion_file, write_motion_file
from pose_mdn.errors import FormatError, InputError


def record(poses, name: str, split: str, **changes) -> MotionRecord:
    valid = np.ones(len(poses), bool)
    valid[1] = False
    return MotionRecord(
        **{
            "pose_m": poses, "valid": valid, "fps": 30.0, "subject": name, "trial": f"{name}_1", "action": "walk",
            "source": "test", "licence": "CC0", "split": split, **changes,
        }
    )  # fmt: skip


@pytest.fixture
def records(standing_poses):
    return [
        record(standing_poses[:7], "anna", "train"),
        record(standing_poses[7:40], "ben", "validation", action="sit", fps=25.0),
        record(standing_poses[40:50], "eva", "train", licence="", trial="ünïcode"),
    ]


def test_what_is_written_is_read(tmp_path, records) -> None:
    write_motion_file(tmp_path / "m.npz", records)
    for found, wanted in zip(read_motion_file(tmp_path / "m.npz"), records, strict=True):
        for field in dataclasses.fields(MotionRecord):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(wanted, field.name))


def test_training_reads_the_valid_poses_of_a_split(tmp_path, records) -> None:
    write_motion_file(tmp_path / "m.npz", records)
    train = read_motion_data(tmp_path / "m.npz", "train")
    assert len(train) == 6 + 9
    assert sorted(set(train.subject)) == ["anna", "eva"]
    np.testing.assert_array_equal(train.pose_m[0], records[0].pose_m[0])
    assert set(read_motion_data(tmp_path / "m.npz", "validation").action) == {"sit"}


def test_a_file_without_the_optional_keys_is_read(motion_file) -> None:
    records = read_motion_file(motion_file)
    assert [entry.subject for entry in records] == ["a", "b", "c"]
    assert np.isnan(records[0].fps)
    assert records[0].licence == ""


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"seq_len": np.array([96, 96, 97])}, "one outside"),
        ({"pose": np.zeros((288, 16, 3))}, "pose"),
        ({"joint_names": np.array(["a"] * 17)}, "joints of human36m17"),
        ({"subject": np.array(["a"])}, "subject"),
        ({"valid": np.zeros(288)}, "valid"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, motion_file, change, what) -> None:
    with np.load(motion_file) as file:
        np.savez(tmp_path / "m.npz", **{**file, **change})
    with pytest.raises(FormatError, match=what):
        read_motion_file(tmp_path / "m.npz")


def test_nothing_is_not_written(tmp_path) -> None:
    with pytest.raises(InputError, match="at least one"):
        write_motion_file(tmp_path / "m.npz", [])
    assert not list(tmp_path.iterdir())


def test_writing_needs_no_torch() -> None:
    program = (
        "import sys, pose_mdn.cli.import_run, pose_mdn.cli.data_import, pose_mdn.data.mocap\n"
        "pose_mdn.cli.import_run.motion_formats()\n"
        "assert not {'torch', 'scipy', 'ezc3d'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
