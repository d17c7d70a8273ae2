"""Acclaim: what is written comes back; a motion finds its skeleton; what is broken is said with its line."""

import itertools

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.motions.acclaim_skeleton import read_asf
from pose_mdn.formats.motions.asf_amc import read_amc
from pose_mdn.formats.motions.motion_format import ReadOptions

DOF = [" ".join(f"r{axis}" for axis in order) for order in itertools.permutations("xyz")] + ["rx rz", "rz"]


@pytest.mark.parametrize("dof", DOF)
def test_bones_end_where_the_rotations_put_them(tmp_path, write, dof) -> None:
    ends = write.acclaim(tmp_path, "07", seed=3, dof=dof)
    (motion,) = read_amc(tmp_path / "07_01.amc")
    assert set(motion.joint_names) == set(write.asf_names)
    order = [motion.joint_names.index(name) for name in write.asf_names]
    found = motion.positions[:, order] * motion.metres_per_unit
    np.testing.assert_allclose(found, ends, atol=1e-6)
    assert (motion.fps, motion.up, motion.trial) == (120.0, "y", "07_01")


def test_the_unit_is_an_inch_divided_by_the_length(tmp_path, write) -> None:
    write.acclaim(tmp_path, "07")
    assert read_asf(tmp_path / "07.asf").metres_per_unit == pytest.approx(0.0254 / 0.45)


def test_a_motion_finds_its_skeleton_or_is_told(tmp_path, write) -> None:
    write.acclaim(tmp_path, "07")
    for skeleton in ("07_01.asf", "other.asf"):
        (tmp_path / "07.asf").rename(tmp_path / skeleton)
        assert len(read_amc(tmp_path / "07_01.amc")[0].positions) == 10
        (tmp_path / skeleton).rename(tmp_path / "07.asf")
    (tmp_path / "07.asf").rename(tmp_path / "a.asf")
    (tmp_path / "b.asf").write_text("")
    with pytest.raises(FormatError, match=r"07_01\.asf or 07\.asf.*got 2 .asf files.*--skeleton"):
        read_amc(tmp_path / "07_01.amc")
    assert read_amc(tmp_path / "07_01.amc", ReadOptions(skeleton=tmp_path / "a.asf", fps=60))[0].fps == 60


@pytest.mark.parametrize(
    ("file", "change", "what"),
    [
        ("07.asf", ("    length 2", "    size 2"), r"07\.asf: expected \(line 21\) a length"),
        ("07.asf", ("XYZ\n    dof", "XYW\n    dof"), r"07\.asf: expected \(line 17\) three angles"),
        ("07.asf", ("dof rx", "dof qx"), r"07\.asf: expected \(line 18\) of rx, ry, rz"),
        ("07.asf", ("    rfemur rtibia", "    rfemur rshin"), r"got 'rfemur' -> 'rshin'"),
        ("07.asf", ("    rfemur rtibia\n", ""), r"rtibia"),
        ("07.asf", (":bonedata", ":bones"), r":bonedata"),
        ("07_01.amc", ("lfemur ", "lfemurr "), r"07_01\.amc: expected \(line 7\).*'lfemurr"),
        ("07_01.amc", ("\n2\n", "\n"), r"each bone of the skeleton once"),
    ],
)
def test_what_is_broken_is_said_with_its_line(tmp_path, write, file, change, what) -> None:
    write.acclaim(tmp_path, "07")
    text = (tmp_path / file).read_text()
    assert change[0] in text
    (tmp_path / file).write_text(text.replace(*change, 1))
    with pytest.raises(FormatError, match=what):
        read_amc(tmp_path / "07_01.amc")


def test_a_motion_cut_off_within_a_frame_is_refused(tmp_path, write) -> None:
    write.acclaim(tmp_path, "07")
    path = tmp_path / "07_01.amc"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-3]))
    with pytest.raises(FormatError, match="frame 10 without rhumerus, rradius, rwrist"):
        read_amc(path)
