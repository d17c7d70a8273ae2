import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from pose_mdn.geometry.canonical_view import canonical_view, rotation_to_axis
from pose_mdn.geometry.pinhole import camera_to_slopes, pixels_to_slopes, slopes_to_pixels

seeds = st.integers(0, 2**32 - 1)


def _people(seed: int, batch: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    joints = rng.normal(size=(batch, 17, 3)) * 0.4 + np.array([0.8, -0.3, 4.0])
    confidence = rng.uniform(0.1, 1.0, (batch, 17)) * (rng.random((batch, 17)) > 0.2)
    confidence[:, 0] = 1.0
    return joints, confidence


@given(seeds)
def test_minimal_rotation_takes_the_direction_to_the_axis(seed):
    direction = np.random.default_rng(seed).normal(size=(5, 3))
    direction[:, 2] = np.abs(direction[:, 2])
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    rotation = rotation_to_axis(direction)
    np.testing.assert_allclose(rotation @ rotation.swapaxes(-1, -2), np.broadcast_to(np.eye(3), (5, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0)
    np.testing.assert_allclose(
        (rotation @ direction[..., None])[..., 0], np.broadcast_to([0.0, 0.0, 1.0], (5, 3)), atol=1e-12
    )
    # Minimal: it turns by exactly the angle between the two.
    np.testing.assert_allclose((np.trace(rotation, axis1=-2, axis2=-1) - 1) / 2, direction[:, 2], atol=1e-12)


@given(seeds)
def test_canonical_points_have_unit_radius_and_mean_ray_on_the_axis(seed):
    joints, confidence = _people(seed)
    slopes = camera_to_slopes(joints)
    view = canonical_view(slopes, confidence)
    mean_square = (confidence[..., None] * view.points**2).sum((1, 2)) / confidence.sum(1)
    np.testing.assert_allclose(mean_square, 1.0, rtol=1e-4)
    rays = np.concatenate([slopes, np.ones_like(slopes[..., :1])], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    turned = (confidence[..., None] * (rays @ view.rotation)).sum(1)
    np.testing.assert_allclose(turned[:, :2], 0.0, atol=1e-5)


@given(seeds, st.floats(-0.5, 0.5), st.floats(-0.4, 0.4))
def test_turning_the_camera_about_its_centre_leaves_the_view_alone_up_to_roll(seed, yaw, pitch):
    joints, confidence = _people(seed)
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]) @ np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    one = canonical_view(camera_to_slopes(joints), confidence)
    other = canonical_view(camera_to_slopes(joints @ turn.T), confidence)
    np.testing.assert_allclose(
        np.linalg.norm(one.points, axis=-1), np.linalg.norm(other.points, axis=-1), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(one.log_radius, other.log_radius, atol=1e-4)


def test_missing_joints_do_not_touch_the_view():
    joints, confidence = _people(7)
    slopes = camera_to_slopes(joints)
    confidence[:, 5] = 0.0
    spoiled = slopes.copy()
    spoiled[:, 5] = 1e3
    one, other = canonical_view(slopes, confidence), canonical_view(spoiled, confidence)
    np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_array_equal(one.rotation, other.rotation)
    assert (one.points[:, 5] == 0).all()


def test_numpy_and_torch_agree():
    joints, confidence = _people(3)
    slopes = camera_to_slopes(joints)
    one = canonical_view(slopes, confidence)
    other = canonical_view(torch.from_numpy(slopes), torch.from_numpy(confidence))
    np.testing.assert_allclose(one.points, other.points.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.rotation, other.rotation.numpy(), rtol=1e-9, atol=1e-12)


@given(seeds)
def test_pixels_to_slopes_and_back_is_identity(seed):
    rng = np.random.default_rng(seed)
    intrinsics = np.array([[900.0, rng.normal(), 640.0], [0.0, 850.0, 360.0], [0.0, 0.0, 1.0]])
    pixels = rng.uniform(-500, 2000, (4, 17, 2))
    back = slopes_to_pixels(pixels_to_slopes(pixels, intrinsics), intrinsics)
    np.testing.assert_allclose(back, pixels, rtol=1e-12, atol=1e-9)
