import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pose_mdn.errors import FormatError
from pose_mdn.formats.cameras.registry import read_camera, read_cameras
from pose_mdn.geometry.camera import Camera

Make = Callable[..., Camera]
Same = Callable[..., None]
MATRIX = "K: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   data: [ 9., 0., 4., 0., 9., 3., 0., 0., 1. ]\n"


def write_storage(path: Path, **values: object) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for key, value in values.items():
        storage.write(key, value)
    storage.release()
    return path


def as_rvec(camera: Camera) -> np.ndarray:
    return cv2.Rodrigues(camera.rotation)[0]


@pytest.mark.parametrize("suffix", ["yml", "yaml", "json", "xml"])
@pytest.mark.parametrize("lens_model", ["brown", "fisheye"])
@pytest.mark.parametrize(
    "names",
    [
        ("camera_matrix", "distortion_coefficients", "R", "T"),
        ("K", "D", "rvec", "tvec"),
        ("mtx", "dist", "rvec", "tvec"),
        ("cameraMatrix", "distCoeffs", "Rot", "t"),
        ("intrinsic_matrix", "distortion", "rotation_matrix", "translation"),
    ],
    ids=lambda names: names[0],
)
def test_a_camera_that_opencv_wrote(
    tmp_path: Path, make_camera: Make, assert_same: Same, *, suffix: str, lens_model: str, names: tuple[str, ...]
) -> None:
    camera = make_camera(1, name="calibration", lens_model=lens_model)
    matrix, lens, rotation, translation = names
    turn = as_rvec(camera) if rotation == "rvec" else camera.rotation
    values = {matrix: camera.intrinsics, lens: camera.distortion[:, None], rotation: turn}
    width, height = camera.image_size
    path = write_storage(
        tmp_path / f"calibration.{suffix}",
        calibration_time="Mon 1 Jan",
        image_width=width,
        image_height=height,
        flags=0,
        **values,
        **{translation: camera.translation},
        fisheye_model=int(lens_model == "fisheye"),
        avg_reprojection_error=0.3,
        image_points=np.zeros((7, 2)),
    )
    assert_same(read_camera(path), camera)


@pytest.mark.parametrize("suffix", ["yml", "json", "xml"])
def test_a_pair_as_stereo_calibration_leaves_it(
    tmp_path: Path, make_camera: Make, assert_same: Same, suffix: str
) -> None:
    left, right = make_camera(1), make_camera(2)
    path = write_storage(
        tmp_path / f"stereo.{suffix}",
        K1=left.intrinsics,
        D1=left.distortion,
        K2=right.intrinsics,
        D2=right.distortion,
        R=right.rotation,
        T=right.translation,
        R1=np.eye(3)[::-1].copy(),
        R2=np.eye(3)[::-1].copy(),
        P1=np.zeros((3, 4)),
        Q=np.zeros((4, 4)),
    )
    cameras = read_cameras(path)
    assert list(cameras) == ["1", "2"]
    np.testing.assert_array_equal(cameras["1"].rotation, np.eye(3))
    np.testing.assert_array_equal(cameras["1"].translation, np.zeros(3))
    np.testing.assert_allclose(cameras["2"].rotation, right.rotation)
    np.testing.assert_allclose(cameras["2"].translation, right.translation)
    np.testing.assert_allclose(cameras["2"].intrinsics, right.intrinsics)
    np.testing.assert_allclose(cameras["1"].distortion, left.distortion)


def test_cameras_side_by_side_with_poses_of_their_own(tmp_path: Path, make_camera: Make, assert_same: Same) -> None:
    cameras = {name: make_camera(seed, name=name) for seed, name in enumerate(["01", "02", "left"])}
    values: dict[str, object] = {"names": list(cameras)}
    for name, camera in cameras.items():
        values |= {
            f"K_{name}": camera.intrinsics,
            f"dist_{name}": camera.distortion[None],
            f"R_{name}": as_rvec(camera),
            f"Rot_{name}": camera.rotation,
            f"T_{name}": camera.translation[:, None],
            f"size_{name}": np.array(camera.image_size),
        }
    found = read_cameras(write_storage(tmp_path / "rig.yml", **values))
    assert list(found) == list(cameras)
    for name, camera in cameras.items():
        assert_same(found[name], camera)


@pytest.mark.parametrize("in_a_list", [False, True])
def test_json_that_people_write_themselves(
    tmp_path: Path, make_camera: Make, assert_same: Same, in_a_list: bool
) -> None:
    cameras = [make_camera(seed, name=f"cam{seed}", lens_model="fisheye") for seed in range(3)]
    tables = [
        {
            "name": camera.name,
            "K": camera.intrinsics.tolist(),
            "dist": [camera.distortion.tolist()],
            "R": camera.rotation.tolist(),
            "t": (camera.translation * 1000).tolist(),
            "unit": "mm",
            "resolution": camera.image_size,
            "fisheye": True,
        }
        for camera in cameras
    ]
    document = {"cameras": tables} if in_a_list else {table.pop("name"): table for table in tables}
    path = tmp_path / "cameras.json"
    path.write_text(json.dumps(document))
    for camera, found in zip(cameras, read_cameras(path).values(), strict=True):
        assert_same(found, camera)


@pytest.mark.parametrize(
    ("model", "lens", "expected"),
    [
        ("plumb_bob", "[-0.1, 0.02, 0.001, -0.001, 0.0]", "brown"),
        ("equidistant", "[0.1, 0.02, 0.001, -0.001]", "fisheye"),
    ],
)
def test_camera_info_of_ros(tmp_path: Path, model: str, lens: str, expected: str) -> None:
    path = tmp_path / "head_camera.yaml"
    path.write_text(
        "image_width: 640\nimage_height: 480\ncamera_name: head\n"
        "camera_matrix:\n  rows: 3\n  cols: 3\n  data: [500, 0, 320, 0, 501, 240, 0, 0, 1]\n"
        f"distortion_model: {model}\ndistortion_coefficients:\n  rows: 1\n"
        f"  cols: {lens.count(',') + 1}\n  data: {lens}\n"
        "rectification_matrix:\n  rows: 3\n  cols: 3\n  data: [1, 0, 0, 0, 1, 0, 0, 0, 1]\n"
    )
    camera = read_camera(path)
    assert (camera.name, camera.image_size, camera.lens_model) == ("head", (640, 480), expected)
    np.testing.assert_array_equal(camera.intrinsics, [[500, 0, 320], [0, 501, 240], [0, 0, 1]])
    np.testing.assert_array_equal(camera.distortion, json.loads(lens))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        pytest.param("a.yml", "%YAML:1.0\n---\nfoo: 3\n", "camera_matrix, K or mtx, got the names", id="no_matrix"),
        pytest.param("a.yml", "just words", "YAML file", id="words"),
        pytest.param("a.yml", "%YAML:1.0\n---\n" + MATRIX.replace("rows: 3", "rows: 4"), "9 numbers for", id="rows"),
        pytest.param("a.yml", "%YAML:1.0\n---\na: " + "[" * 100_000, "deeply nested", id="brackets"),
        pytest.param("a.yml", "%YAML:1.0\n---\na:\n  " + "- " * 100_000, "deeply nested", id="dashes"),
        pytest.param("a.json", "[" * 100_000, "JSON file", id="json_brackets"),
        pytest.param("a.json", "[1, 2]", "named values", id="json_list"),
        pytest.param("a.json", '{"K": [[9, 0, 4], [0, 9], [0, 0, 1]]}', "camera_matrix", id="ragged"),
        pytest.param("a.json", '{"K": [[9, 0, 4], [0, 9, 3], [0, 0, "x"]]}', "camera_matrix", id="text_inside"),
        pytest.param("a.json", '{"K": [9, 0, 4, 0, 9, 3, 0, 0, 1], "D": [1, 2, 3]}', "got 3", id="coefficients"),
        pytest.param("a.json", '{"K": [9, 0, 4, 0, 9, 3, 0, 0, 1], "model": "ocam"}', "got 'ocam'", id="model"),
        pytest.param("a.json", '{"K": [9, 0, 4, 0, 9, 3, 0, 0, 1], "T": [1, 2]}', "3 numbers, got 2", id="translation"),
        pytest.param("a.xml", "<opencv_storage><K>" + "<a>" * 1000, "XML file", id="open_xml"),
    ],
)
def test_bad_files_give_one_clear_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FormatError, match=says) as caught:
        read_cameras(path, format="opencv")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
