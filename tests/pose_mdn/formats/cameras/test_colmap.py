from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_camera, read_cameras
from pose_mdn.geometry.camera import Camera

CAMERAS = "# Camera list with one line of data per camera:\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n"
PINHOLE = "1 PINHOLE 640 480 500 501 320 240\n"
SHARED = {"f": 800.0, "fx": 800.0, "fy": 810.0, "cx": 320.5, "cy": 240.5}
TERMS = {"k1": -0.1, "k2": 0.02, "k3": 0.003, "k4": -0.004, "k5": 0.005, "k6": 0.006, "p1": 0.001, "p2": -0.002}


def write_model(folder: Path, cameras: str, images: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "cameras.txt").write_text(CAMERAS + cameras)
    if images is not None:
        (folder / "images.txt").write_text("# Image list with two lines of data per image:\n" + images)
    return folder


@pytest.mark.parametrize(
    ("model", "parameters", "lens_model", "lens"),
    [
        ("SIMPLE_PINHOLE", "f cx cy", "brown", ""),
        ("PINHOLE", "fx fy cx cy", "brown", ""),
        ("SIMPLE_RADIAL", "f cx cy k1", "brown", "k1"),
        ("RADIAL", "f cx cy k1 k2", "brown", "k1 k2"),
        ("OPENCV", "fx fy cx cy k1 k2 p1 p2", "brown", "k1 k2 p1 p2"),
        ("FULL_OPENCV", "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6", "brown", "k1 k2 p1 p2 k3 k4 k5 k6"),
        ("OPENCV_FISHEYE", "fx fy cx cy k1 k2 k3 k4", "fisheye", "k1 k2 k3 k4"),
        ("SIMPLE_RADIAL_FISHEYE", "f cx cy k1", "fisheye", "k1"),
        ("RADIAL_FISHEYE", "f cx cy k1 k2", "fisheye", "k1 k2"),
    ],
)
def test_every_lens_that_opencv_has_too(
    tmp_path: Path, model: str, parameters: str, lens_model: str, lens: str
) -> None:
    values = SHARED | TERMS
    line = f"7 {model} 641 481 {' '.join(str(values[name]) for name in parameters.split())}\n"
    camera = read_camera(write_model(tmp_path, line))
    assert (camera.name, camera.image_size, camera.lens_model) == ("7", (641, 481), lens_model)
    fy = 810 if "fy" in parameters else 800
    # Their upper left pixel has its centre at (0.5, 0.5).
    np.testing.assert_allclose(camera.intrinsics, [[800, 0, 320], [0, fy, 240], [0, 0, 1]])
    expected = np.zeros(camera.distortion.size)
    expected[: len(lens.split())] = [values[name] for name in lens.split()]
    np.testing.assert_allclose(camera.distortion, expected)


def test_images_are_cameras_where_they_stand(
    tmp_path: Path, make_camera: Callable[..., Camera], assert_same: Callable[..., None]
) -> None:
    cameras = [make_camera(seed, name=f"a walk/{seed}.jpg", count=4) for seed in range(3)]
    lines, images = [], []
    for number, camera in enumerate(cameras):
        fx, fy, cx, cy = camera.intrinsics[[0, 1, 0, 1], [0, 1, 2, 2]]
        width, height = camera.image_size
        parameters = " ".join(map(repr, map(float, [fx, fy, cx + 0.5, cy + 0.5, *camera.distortion])))
        lines.append(f"{number} OPENCV {width} {height} {parameters}\n")
        x, y, z, w = 3 * Rotation.from_matrix(camera.rotation).as_quat()
        pose = " ".join(map(repr, map(float, [w, x, y, z, *camera.translation])))
        points = "" if number == 1 else "12.5 30.5 -1 40.5 2.5 7"
        images.append(f"{number + 1} {pose} {number} {camera.name}\n{points}\n")
    folder = write_model(tmp_path / "sparse", "".join(lines), "".join(images))
    for path in (folder, folder / "images.txt", folder / "cameras.txt"):
        for camera, found in zip(cameras, read_cameras(path).values(), strict=True):
            assert_same(found, camera)


@pytest.mark.parametrize(
    ("cameras", "images", "says"),
    [
        ("1 FOV 640 480 500 501 320 240 0.9\n", None, r"lenses that OpenCV has too.*got 'FOV'.*image_undistorter"),
        ("1 THIN_PRISM_FISHEYE 640 480 1 1 1 1 0 0 0 0 0 0 0 0\n", None, "THIN_PRISM_FISHEYE"),
        ("1 PINHOLE 640 480 500 501 320\n", None, "4 parameters of PINHOLE, got 3"),
        ("1 PINHOLE 640\n", None, "CAMERA_ID MODEL"),
        ("1 PINHOLE 640 480 500 501 320 x\n", None, "numbers, got 'x'"),
        ("1 PINHOLE 640 480 500 501 320 nan\n", None, "numbers, got 'nan'"),
        ("1 PINHOLE 640 480 0 501 320 240\n", None, "positive focal"),
        ("", None, "a line for each camera"),
        (PINHOLE, "", "two lines for each image"),
        (PINHOLE, "1 1 0 0 0 0 0 0 2 a.jpg\n\n", "a camera of cameras.txt for 'a.jpg', got '2'"),
        (PINHOLE, "1 0 0 0 0 0 0 0 1 a.jpg\n\n", "a rotation of 'a.jpg'"),
        (PINHOLE, "1 1 0 0 0 0 0 1 a.jpg\n\n", "IMAGE_ID"),
    ],
)
def test_bad_files_give_one_clear_line(tmp_path: Path, cameras: str, images: str | None, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read_cameras(write_model(tmp_path, cameras, images))
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_binary_models_say_how_to_become_text(tmp_path: Path) -> None:
    (tmp_path / "cameras.bin").write_bytes(b"\0" * 8)
    with pytest.raises(FormatError, match="model_converter --output_type TXT"):
        read_cameras(tmp_path)
