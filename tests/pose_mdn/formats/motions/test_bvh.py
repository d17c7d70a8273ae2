"""BVH: what is written comes back, whatever the order of channels; what is broken is said with its line."""

import itertools

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.motions.bvh import read_bvh

ORDERS = ["".join(order) for order in itertools.permutations("XYZ")] + ["ZXZ"]


@pytest.mark.parametrize("order", ORDERS)
def test_joints_are_where_the_rotations_put_them(tmp_path, write, order) -> None:
    performance = write.perform(seed=1, wildness=1.0)
    write.bvh(tmp_path / "a.bvh", performance, order=order)
    (motion,) = read_bvh(tmp_path / "a.bvh")
    assert motion.joint_names == tuple(write.rig)
    assert motion.fps == pytest.approx(30)
    np.testing.assert_allclose(motion.positions, performance.positions(), atol=1e-6)


@pytest.mark.parametrize("positions_first", [True, False])
@pytest.mark.parametrize("moving", [True, False])
def test_position_channels_may_stand_anywhere(tmp_path, write, positions_first, moving) -> None:
    performance = write.perform(seed=2)
    write.bvh(tmp_path / "a.bvh", performance, positions_first=positions_first, moving=moving)
    np.testing.assert_allclose(read_bvh(tmp_path / "a.bvh")[0].positions, performance.positions(), atol=1e-6)


def test_position_channels_near_zero_are_added_to_the_offset(tmp_path) -> None:
    text = """HIERARCHY
    ROOT a { OFFSET 0 0 0 CHANNELS 3 Xposition Yposition Zposition
    JOINT b { OFFSET 0 5 0
    CHANNELS 3 Xposition Yposition Zposition
    End Site { OFFSET 0 1 0 } } }
    MOTION
    Frames: 2
    Frame Time: 0.01
    1 2 3 0 0.5 0
    1 2 3 0 0.25 0
    """
    path = tmp_path / "a.bvh"
    path.write_text(text.replace("{ OFFSET 0 0 0 CHANNELS", "{\nOFFSET 0 0 0\nCHANNELS"))
    (motion,) = read_bvh(path)
    assert motion.joint_names == ("a", "b", "b_end")
    np.testing.assert_allclose(motion.positions[0], [[1, 2, 3], [1, 7.5, 3], [1, 8.5, 3]])


def test_the_rest_pose_is_the_offsets(tmp_path, write) -> None:
    write.bvh(tmp_path / "a.bvh", write.perform())
    rest = read_bvh(tmp_path / "a.bvh")[0].rest_positions
    assert rest[write.rig.index("Head_end"), 1] == pytest.approx(0.71)


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("HIERARCHY", "SKELETON"), 1, "HIERARCHY"),
        (("OFFSET 0.000000000 0.100000000", "OFFSET 0.0 x"), 8, "OFFSET"),
        (("CHANNELS 6 Xposition", "CHANNELS 6 Xplace"), 5, "CHANNELS"),
        (("CHANNELS 3", "CHANNELS 4"), 9, "CHANNELS"),
        (("Frames: 12", "Frames: 13"), 118, "13 frames"),
        (("Frame Time: 0.033333333", "Frame Time: 0"), 119, "Frame Time"),
        (("JOINT Spine\n", "JOINT\n"), 6, "JOINT"),
    ],
)
def test_what_is_broken_is_said_with_its_line(tmp_path, write, change, line, what) -> None:
    path = tmp_path / "broken.bvh"
    write.bvh(path, write.perform())
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(FormatError, match=rf"broken\.bvh: expected \(line {line}\).*{what}"):
        read_bvh(path)


def test_a_row_of_the_wrong_length_is_said_with_its_line(tmp_path, write) -> None:
    path = tmp_path / "broken.bvh"
    write.bvh(path, write.perform())
    lines = path.read_text().splitlines()
    lines[-1] = lines[-1].rpartition(" ")[0]
    path.write_text("\n".join(lines))
    with pytest.raises(FormatError, match=rf"line {len(lines)}\).*numbers for the channels of a frame, got"):
        read_bvh(path)
