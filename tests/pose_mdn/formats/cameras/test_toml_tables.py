from pathlib import Path

import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_camera, read_cameras

MATRIX = "matrix = [[9, 0, 4], [0, 9, 3], [0, 0, 1]]"
TWO_CAMERAS = """
[cam_01]
name = "left"
size = [ 1088.0, 1920.0]
matrix = [ [ 1681.2, 0.0, 540.0], [ 0.0, 1680.1, 960.0], [ 0.0, 0.0, 1.0]]
distortions = [ -0.0045, 0.004, 0.0, 0.001]
rotation = [ 0.0, 0.0, 1.5707963267948966]
translation = [ 1.0, 2.0, 3.0]
fisheye = false

[cam_02]
matrix = [ [ 900.0, 0.0, 400.0], [ 0.0, 900.0, 300.0], [ 0.0, 0.0, 1.0]]

[metadata]
adjusted = false
error = 0.0
"""


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    path = tmp_path / "Calib.toml"
    path.write_text(TWO_CAMERAS)
    return path


def test_every_table_with_a_matrix_is_a_camera(calibration: Path) -> None:
    assert list(read_cameras(calibration)) == ["left", "cam_02"]


def test_a_camera_is_chosen_by_name(calibration: Path) -> None:
    camera = read_camera(calibration, "left")
    assert camera.image_size == (1088, 1920)
    np.testing.assert_array_equal(camera.distortion, [-0.0045, 0.004, 0.0, 0.001])
    # A quarter turn about the optical axis takes the world's x axis to the camera's y axis.
    np.testing.assert_allclose(camera.world_to_camera([1.0, 0, 0]), [1, 3, 3], atol=1e-12)


@pytest.mark.parametrize("name", [None, "middle"])
def test_an_ambiguous_or_unknown_name_lists_the_cameras(calibration: Path, name: str | None) -> None:
    with pytest.raises(FormatError, match=r"left, cam_02"):
        read_camera(calibration, name)


def test_the_only_camera_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text("[a]\nmatrix = [[900.0, 0, 400], [0, 900, 300], [0, 0, 1]]")
    assert read_camera(path).name == "a"
    assert read_camera(path).image_size is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("not toml at all", "TOML", id="not_toml"),
        pytest.param("[metadata]\nerror = 0.0", "matrix", id="no_camera"),
        pytest.param("[a]\nmatrix = [[900.0, 0], [0, 900]]", "3 x 3", id="small_matrix"),
        pytest.param("[a]\nmatrix = 'x'", "camera 'a'", id="text_matrix"),
        pytest.param(f"[a]\nfisheye = true\n{MATRIX}", "4 coefficients", id="fisheye_without_lens"),
        pytest.param(f"[a]\nname = 'b'\n{MATRIX}\n[b]\n{MATRIX}", "two of 'b'", id="same_name"),
        pytest.param(f"[a]\n{MATRIX}\ntranslation = [1, 'x', 2]", "translation: expected numbers", id="text"),
        pytest.param(f"[a]\n{MATRIX}\n[metadata]\nunit = 'ft'", "m, cm, mm, got 'ft'", id="unit"),
        pytest.param("", "empty", id="empty"),
        pytest.param("[a]\nmatrix = [[9, 0, 4], [0, 9, 3], [0, 0, 1]]\nsize = 3", "camera 'a'", id="size"),
        pytest.param("[a]\nmatrix = [[9, 0, 4], [0, 9, 3], [0, 0, 1]]\nrotation = [1, 2]", "Rodrigues", id="rotation"),
    ],
)
def test_bad_files_give_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(FormatError, match=says) as caught:
        read_cameras(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read_camera(tmp_path / "absent.toml")


def test_a_fisheye_is_one(tmp_path: Path) -> None:
    path = tmp_path / "anipose.toml"
    path.write_text(f"[cam_0]\nname = 'A'\nfisheye = true\n{MATRIX}\ndistortions = [0.1, 0.02, 0.0, 0.0]")
    camera = read_camera(path)
    assert (camera.name, camera.lens_model) == ("A", "fisheye")
    np.testing.assert_array_equal(camera.distortion, [0.1, 0.02, 0, 0])


def test_a_stated_unit_is_converted_to_metres(tmp_path: Path) -> None:
    path = tmp_path / "anipose.toml"
    path.write_text(f"[a]\n{MATRIX}\ntranslation = [1000, 250, -3]\n[metadata]\nunit = 'mm'")
    np.testing.assert_allclose(read_camera(path).translation, [1, 0.25, -0.003])
