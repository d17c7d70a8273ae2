"""Cameras to write to files."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from pose_mdn.geometry.camera import Camera

COEFFICIENTS = {"brown": [-0.21, 0.09, 0.001, -0.002, 0.03], "fisheye": [0.04, -0.01, 0.005, -0.001]}


def some_camera(seed: int = 0, *, name: str = "", lens_model: str = "brown", count: int = 5) -> Camera:
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(600, 2000, 2))
    focal = rng.uniform(500, 2000)
    return Camera(
        intrinsics=np.array([[focal, 0, width / 2 + 3], [0, focal * 1.01, height / 2 - 4], [0, 0, 1]]),
        distortion=np.array(COEFFICIENTS[lens_model][:count]),
        rotation=cv2.Rodrigues(rng.normal(0, 1, 3))[0],
        translation=rng.normal(0, 2, 3),
        image_size=(width, height),
        name=name,
        lens_model=lens_model,
    )


def assert_same_camera(one: Camera, other: Camera, *, atol: float = 1e-9) -> None:
    for field in ("intrinsics", "rotation", "translation"):
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=0, atol=atol, err_msg=field)
    size = max(one.distortion.size, other.distortion.size)
    padded = [np.pad(camera.distortion, (0, size - camera.distortion.size)) for camera in (one, other)]
    np.testing.assert_allclose(*padded, rtol=0, atol=atol)
    assert (one.name, one.image_size, one.lens_model) == (other.name, other.image_size, other.lens_model)


@pytest.fixture(scope="session")
def make_camera() -> Callable[..., Camera]:
    return some_camera


@pytest.fixture(scope="session")
def assert_same() -> Callable[..., None]:
    return assert_same_camera
