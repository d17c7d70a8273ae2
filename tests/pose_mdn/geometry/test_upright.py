import numpy as np
import pytest
import torch

from pose_mdn.geometry.upright import heading_cos_sin, turn, turn_to_face, y_up_to_upright
from pose_mdn.skeletons import HUMAN36M17


def _upright(standing_poses: np.ndarray) -> np.ndarray:
    return y_up_to_upright(standing_poses.astype(np.float64))


def test_who_stands_has_the_head_up_and_the_left_at_positive_x(standing_poses):
    poses = turn_to_face(_upright(standing_poses))
    assert (poses[:, HUMAN36M17.index("head_top"), 1] < -0.4).all()
    assert (poses[:, HUMAN36M17.index("l_hip"), 0] > poses[:, HUMAN36M17.index("r_hip"), 0]).all()
    # A level camera in front sees the face: with y down, forward is left x up, towards it.
    left = poses[:, HUMAN36M17.index("l_hip")] - poses[:, HUMAN36M17.index("r_hip")]
    up = poses[:, HUMAN36M17.index("thorax")]
    assert (np.cross(left, up)[:, 2] < 0).all()


@pytest.mark.parametrize("angle", [0.3, -2.5, 3.1])
def test_a_heading_is_what_was_turned(standing_poses, angle):
    facing = turn_to_face(_upright(standing_poses))
    cos, sin = heading_cos_sin(turn(facing, np.full(len(facing), np.cos(angle)), np.full(len(facing), np.sin(angle))))
    np.testing.assert_allclose(np.arctan2(sin, cos), angle, atol=1e-9)
    np.testing.assert_allclose(heading_cos_sin(facing)[0], 1.0)


def test_turning_keeps_lengths_and_heights(standing_poses):
    poses = _upright(standing_poses)
    turned = turn_to_face(poses)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(poses, axis=-1))
    np.testing.assert_array_equal(turned[..., 1], poses[..., 1])


def test_a_vertical_line_through_the_girdles_has_some_heading():
    pose = np.zeros((1, 17, 3))
    pose[0, HUMAN36M17.index("l_hip"), 1] = 0.2
    assert np.isfinite(turn_to_face(pose)).all()
    assert [float(part[0]) for part in heading_cos_sin(pose)] == [1.0, 0.0]


def test_torch_agrees(standing_poses):
    poses = _upright(standing_poses)
    np.testing.assert_allclose(turn_to_face(torch.from_numpy(poses)).numpy(), turn_to_face(poses))
