import math

import numpy as np
import pytest

from pose_mdn.geometry.assumed_intrinsics import ASSUMED_DIAGONAL_FIELD_OF_VIEW_DEG, assume_intrinsics
from pose_mdn.geometry.camera import validate_intrinsics

NO_JOINTS = np.full((1, 17, 2), np.nan)


@pytest.mark.parametrize("image_size", [(1920, 1080), (1080, 1920), (640, 480)])
def test_the_corners_of_the_picture_span_the_stated_field_of_view(image_size: tuple[int, int]) -> None:
    intrinsics, sentence = assume_intrinsics(image_size, NO_JOINTS)
    corners = np.array([[-0.5, -0.5, 1], [image_size[0] - 0.5, image_size[1] - 0.5, 1]])
    rays = corners @ np.linalg.inv(intrinsics).T
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    assert math.degrees(math.acos(rays[0] @ rays[1])) == pytest.approx(ASSUMED_DIAGONAL_FIELD_OF_VIEW_DEG)
    assert f"{image_size[0]} x {image_size[1]}" in sentence


def test_an_unknown_picture_is_guessed_from_the_joints_and_said_to_be() -> None:
    keypoints_px = np.full((3, 17, 2), np.nan)
    keypoints_px[1, :4] = [[800, 100], [1120, 980], [900, 500], [1000, 600]]
    intrinsics, sentence = assume_intrinsics(None, keypoints_px)
    assert "unknown picture size, guessed as 1920 x 1080" in sentence
    np.testing.assert_allclose(intrinsics[:2, 2], [959.5, 539.5])


@pytest.mark.parametrize("keypoints_px", [NO_JOINTS, np.zeros((1, 17, 2)), np.full((1, 17, 2), -5.0)])
def test_the_guess_is_always_a_possible_camera(keypoints_px: np.ndarray) -> None:
    intrinsics, _ = assume_intrinsics(None, keypoints_px)
    validate_intrinsics(intrinsics)


def test_the_guess_is_as_large_as_the_joints_that_it_must_hold() -> None:
    keypoints_px = np.full((1, 17, 2), np.nan)
    keypoints_px[0, :2] = [[-400, 100], [564, 980]]
    _, sentence = assume_intrinsics(None, keypoints_px)
    assert "guessed as 964 x 1080" in sentence
