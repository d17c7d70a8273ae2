"""TRC: read back by the rule that Pose2Sim reads its own files with, positions are what they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_mdn.errors import InputError
from pose_mdn.formats.results.trc import write_trc
from pose_mdn.skeletons import HUMAN36M17


def read_as_pose2sim(path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names from every third cell of the fourth line, numbers from the sixth line on, NaN where a cell is empty."""
    names = path.read_text().splitlines()[3].strip().split("\t")[2::3]
    table = np.atleast_2d(np.genfromtxt(path, skip_header=5, delimiter="\t"))
    return names, table[:, :2], table[:, 2:].reshape(len(table), -1, 3)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(tmp_path_factory, any_poses, expected_tracks, data) -> None:
    poses = data.draw(any_poses)
    tracks = expected_tracks(poses)
    paths = write_trc(tmp_path_factory.mktemp("trc") / "walk.trc", poses)
    assert len(paths) == len(tracks)
    for path, track in zip(paths, tracks.values(), strict=True):
        names, axis, positions = read_as_pose2sim(path)
        assert names == list(HUMAN36M17.joint_names)
        assert axis[:, 0].tolist() == list(range(poses.frame.min(), poses.frame.max() + 1))
        np.testing.assert_allclose(axis[:, 1], axis[:, 0] / (poses.fps or 30.0), atol=1e-6, rtol=1e-12)
        np.testing.assert_allclose(positions, track, atol=1e-6)


def test_the_header_is_that_of_opensim(tmp_path, make_poses) -> None:
    (path,) = write_trc(tmp_path / "walk.trc", make_poses(np.zeros((3, 17, 3)), first=7, fps=29.97))
    kind, keys, values, names, axes, first, *_ = path.read_text().split("\n")
    assert kind == "PathFileType\t4\t(X/Y/Z)\twalk.trc"
    header = dict(zip(keys.split("\t"), values.split("\t"), strict=True))
    assert header == {
        "DataRate": "29.97", "CameraRate": "29.97", "NumFrames": "3", "NumMarkers": "17", "Units": "m",
        "OrigDataRate": "29.97", "OrigDataStartFrame": "7", "OrigNumFrames": "3",
    }  # fmt: skip
    assert names.startswith("Frame#\tTime\tpelvis\t\t\tr_hip\t\t\t")
    assert axes.startswith("\t\tX1\tY1\tZ1\tX2")
    assert axes.endswith("\tZ17")
    assert len(first.split("\t")) == len(axes.split("\t")) == len(names.split("\t")) == 2 + 3 * 17


def test_the_same_poses_give_the_same_bytes(tmp_path, make_poses, rigid_positions) -> None:
    poses = make_poses(rigid_positions(0, 5))
    (path,) = write_trc(tmp_path / "walk.trc", poses)
    content = path.read_bytes()
    write_trc(path, poses)
    assert path.read_bytes() == content
    assert b"-0.000000" not in content


def test_a_name_cannot_break_the_table(tmp_path, make_poses) -> None:
    (path,) = write_trc(tmp_path / "a\tb\nc.trc", make_poses(np.zeros((1, 17, 3))))
    assert path.read_text().splitlines()[0] == "PathFileType\t4\t(X/Y/Z)\ta_b_c.trc"


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path, make_poses) -> None:
    with pytest.raises(InputError, match="expected a place that can be written to") as caught:
        write_trc(tmp_path / "no" / "walk.trc", make_poses(np.zeros((1, 17, 3))))
    assert "\n" not in str(caught.value)
