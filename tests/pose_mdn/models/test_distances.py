import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.models.distances import JOINT_PAIRS, visible_distances
from pose_mdn.skeletons import HUMAN36M17

POINTS = torch.randn(3, 17, 2, generator=torch.Generator().manual_seed(0))
EVERYBODY = torch.ones(3, 17, dtype=torch.bool)


def test_pairs_are_distinct_and_every_bone_is_one():
    unordered = {frozenset(pair) for pair in JOINT_PAIRS}
    assert len(unordered) == len(JOINT_PAIRS)
    assert {frozenset(bone) for bone in HUMAN36M17.bones} <= unordered


@given(angle=st.floats(-7, 7), shift=st.floats(-3, 3))
def test_distances_do_not_see_rotation_and_place(angle, shift):
    angle = torch.tensor(angle)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    moved = POINTS @ turn + shift
    torch.testing.assert_close(visible_distances(moved, EVERYBODY), visible_distances(POINTS, EVERYBODY))


def test_distances_of_missing_joints_are_zero_and_the_others_stay():
    visible = EVERYBODY.clone()
    elbow = HUMAN36M17.index("l_elbow")
    visible[:, elbow] = False
    touched = torch.tensor([elbow in pair for pair in JOINT_PAIRS])
    expected = torch.where(touched, 0.0, visible_distances(POINTS, EVERYBODY))
    torch.testing.assert_close(visible_distances(POINTS, visible), expected)


def test_gradient_is_finite_where_joints_coincide():
    points = torch.zeros(1, 17, 2, requires_grad=True)
    visible_distances(points, EVERYBODY[:1]).sum().backward()
    assert torch.isfinite(points.grad).all()
