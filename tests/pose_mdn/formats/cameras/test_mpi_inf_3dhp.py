from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_cameras
from pose_mdn.geometry.camera import Camera


def skeletool(cameras: list[Camera]) -> str:
    text = "Skeletool Camera Calibration File V1.0\n"
    for camera in cameras:
        intrinsic, extrinsic = np.eye(4), np.eye(4)
        intrinsic[:3, :3] = camera.intrinsics
        extrinsic[:3] = np.column_stack([camera.rotation, camera.translation * 1000])
        width, height = camera.image_size
        text += (
            f"name          {camera.name}\n  sensor      10 10\n  size        {width} {height}\n  animated    0\n"
            f"  intrinsic   {' '.join(map(str, intrinsic.ravel()))} \n"
            f"  extrinsic   {' '.join(map(str, extrinsic.ravel()))} \n  radial      0\n"
        )
    return text


def test_cameras_come_back_in_metres(
    tmp_path: Path, make_camera: Callable[..., Camera], assert_same: Callable[..., None]
) -> None:
    cameras = [make_camera(seed, name=str(seed), count=0) for seed in range(14)]
    path = tmp_path / "camera.calibration"
    path.write_text(skeletool(cameras))
    for camera, found in zip(cameras, read_cameras(path).values(), strict=True):
        assert_same(found, camera)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("radial      0", "radial      0.1"), "distortion of which nobody"),
        (("animated    0", "animated    1"), "a camera '0' that moves"),
        (("  extrinsic", "  extrinsics"), "a line `extrinsic` for camera '0'"),
        (("intrinsic   ", "intrinsic   5 "), "16 numbers as `intrinsic` of camera '0', got 17"),
        (("intrinsic   ", "intrinsic   x"), "expected numbers"),
        (("name", "title"), "a block `name`"),
    ],
)
def test_bad_files_give_one_clear_line(
    tmp_path: Path, make_camera: Callable[..., Camera], change: tuple[str, str], says: str
) -> None:
    path = tmp_path / "camera.calibration"
    path.write_text(skeletool([make_camera(name="0", count=0)]).replace(*change))
    with pytest.raises(FormatError, match=says) as caught:
        read_cameras(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
