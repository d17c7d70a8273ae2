"""Rotations against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pose_mdn.formats.results.armature.rotations import (
    frame_of,
    inverse,
    multiply,
    rotate,
    smallest_turn,
    without_sign_flips,
    zxy_angles_rad,
)

SEEDS = st.integers(0, 2**32 - 1)


def wxyz(rotation: Rotation) -> np.ndarray:
    return np.roll(rotation.as_quat(), 1, axis=-1)


def scipys(rotation: np.ndarray) -> Rotation:
    return Rotation.from_quat(np.roll(rotation, -1, axis=-1))


@given(seed=SEEDS)
def test_products_inverses_and_turned_vectors_are_scipys(seed) -> None:
    first, second = Rotation.random(5, rng=seed), Rotation.random(5, rng=seed + 1)
    vectors = np.random.default_rng(seed).normal(size=(5, 3))
    product = multiply(wxyz(first), wxyz(second))
    np.testing.assert_allclose(scipys(product).as_matrix(), (first * second).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rotate(wxyz(first), vectors), first.apply(vectors), atol=1e-12)
    np.testing.assert_allclose(multiply(product, inverse(product)), np.tile([1, 0, 0, 0], (5, 1)), atol=1e-12)


@given(seed=SEEDS, axis=st.sampled_from(range(3)), sign=st.sampled_from([-1.0, 1.0]))
def test_the_smallest_turn_takes_a_direction_to_a_vector_and_turns_by_the_angle_between(seed, axis, sign) -> None:
    direction = sign * np.eye(3)[axis]
    vectors = np.random.default_rng(seed).normal(size=(5, 3))
    turn = smallest_turn(direction, vectors)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(rotate(turn, np.tile(direction, (5, 1))), units, atol=1e-12)
    np.testing.assert_allclose(scipys(turn).magnitude(), np.arccos(units @ direction), atol=1e-7)


@pytest.mark.parametrize("direction", [*np.eye(3), *-np.eye(3)])
def test_opposite_directions_and_none_at_all_are_no_exceptions(direction) -> None:
    near = -direction + np.array([1e-12, -2e-12, 3e-12])
    vectors = np.array([-direction, -5 * direction, near, 2 * direction, np.zeros(3)])
    turn = smallest_turn(direction, vectors)
    np.testing.assert_allclose(np.linalg.norm(turn, axis=1), 1, atol=1e-12)
    turned = rotate(turn, np.tile(direction, (5, 1)))
    np.testing.assert_allclose(turned, [-direction, -direction, -direction, direction, direction], atol=1e-9)
    assert (turn[0] == turn[1]).all()


@given(seed=SEEDS)
def test_a_frame_has_x_across_and_y_as_far_up_as_that_allows(seed) -> None:
    across, up = np.random.default_rng(seed).normal(size=(2, 5, 3))
    x, y, _ = scipys(frame_of(across, up)).as_matrix().transpose(2, 0, 1)
    unit = across / np.linalg.norm(across, axis=1, keepdims=True)
    rest = up - (up * unit).sum(1, keepdims=True) * unit
    np.testing.assert_allclose(x, unit, atol=1e-9)
    np.testing.assert_allclose(y, rest / np.linalg.norm(rest, axis=1, keepdims=True), atol=1e-9)


def test_a_frame_without_a_direction_is_still_a_rotation() -> None:
    none, x, y = np.zeros((1, 3)), np.array([[2.0, 0, 0]]), np.array([[0, 0, 3.0]])
    for across, up in [(none, none), (none, y), (x, none), (x, x), (-x, x), (-x, y)]:
        frame = frame_of(across, up)
        np.testing.assert_allclose(np.linalg.norm(frame), 1, atol=1e-12)
        if across is not none:
            np.testing.assert_allclose(rotate(frame, np.array([[2.0, 0, 0]])), across, atol=1e-9)
        elif up is not none:
            np.testing.assert_allclose(rotate(frame, np.array([[0, 3.0, 0]])), up, atol=1e-9)


@given(seed=SEEDS)
def test_signs_follow_each_other_and_rotations_stay(seed) -> None:
    random = np.random.default_rng(seed)
    steps = Rotation.from_rotvec(np.cumsum(random.normal(0, 0.2, (30, 3)), axis=0))
    flipped = wxyz(steps) * random.choice([-1.0, 1.0], (30, 1))
    found = without_sign_flips(flipped)
    assert found[0, 0] >= 0
    assert ((found[1:] * found[:-1]).sum(axis=1) > 0).all()
    np.testing.assert_allclose(scipys(found).as_matrix(), steps.as_matrix(), atol=1e-12)


@given(seed=SEEDS, scale=st.sampled_from([0.01, 0.3, 3.0]))
def test_angles_give_the_rotation_back(seed, scale) -> None:
    rotation = Rotation.from_rotvec(np.cumsum(np.random.default_rng(seed).normal(0, scale, (20, 3)), axis=0))
    angles = zxy_angles_rad(wxyz(rotation))
    np.testing.assert_allclose(Rotation.from_euler("ZXY", angles).as_matrix(), rotation.as_matrix(), atol=1e-9)


@pytest.mark.parametrize("about_x", [np.pi / 2, -np.pi / 2])
@pytest.mark.parametrize("away", [0.0, 1e-12, 1e-10, 1e-8, 1e-6])
def test_angles_give_the_rotation_back_where_they_are_not_unique(about_x, away) -> None:
    random = np.random.default_rng(0)
    angles = np.column_stack([random.uniform(-3, 3, 50), np.full(50, about_x + away), random.uniform(-3, 3, 50)])
    rotation = Rotation.from_euler("ZXY", angles)
    found = Rotation.from_euler("ZXY", zxy_angles_rad(wxyz(rotation)))
    np.testing.assert_allclose(found.as_matrix(), rotation.as_matrix(), atol=1e-7)


@given(seed=SEEDS)
def test_angles_that_moved_without_jumps_come_back_without_jumps(seed) -> None:
    """Also through a quarter turn about x, where the other triple would take over."""
    random = np.random.default_rng(seed)
    start, speed = random.uniform(-3, 3, 3), random.uniform(-0.1, 0.1, 3)
    angles = start + speed * np.arange(100)[:, None]
    found = zxy_angles_rad(wxyz(Rotation.from_euler("ZXY", angles)))
    clear = np.abs(np.cos(angles[:, 1])) > 0.05
    steps = np.abs(np.diff(found, axis=0)).max(axis=1)
    assert steps[clear[1:] & clear[:-1]].max(initial=0) < 0.11
