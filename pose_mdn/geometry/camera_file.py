"""Calibration files: one TOML table per camera, as Pose2Sim and anipose write them.

    [cam_1]
    name = "left"
    size = [1920, 1080]                 # width, height in pixels
    matrix = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
    distortions = [k1, k2, p1, p2]      # OpenCV's order
    rotation = [rx, ry, rz]             # world to camera, Rodrigues vector in radians
    translation = [tx, ty, tz]          # metres

Only `matrix` is needed. A table without it, such as `[metadata]`, is not a camera.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from pose_mdn.errors import FormatError, GeometryError
from pose_mdn.geometry.camera import Camera, Float64Array
from pose_mdn.geometry.toml_file import read_toml


def read_cameras(path: str | Path) -> dict[str, Camera]:
    """All cameras of a calibration file, by name, in file order.

    Raises:
        FormatError: The file is not TOML, or holds no camera, or one that makes no sense.
    """
    path = Path(path)
    tables = read_toml(path, expected="a TOML calibration file")
    cameras = {}
    for key, table in tables.items():
        if isinstance(table, dict) and "matrix" in table:
            camera = _camera_from_table(path, key, table)
            cameras[camera.name] = camera
    if not cameras:
        raise FormatError(f"{path}: expected at least one table with a `matrix`, got {sorted(tables) or 'none'}")
    return cameras


def read_camera(path: str | Path, name: str | None = None) -> Camera:
    """One camera of a calibration file.

    Args:
        path: TOML file.
        name: Which camera; may be left out if the file has only one.

    Raises:
        FormatError: The file cannot be read, has no camera of that name, or several and no name was given.
    """
    cameras = read_cameras(path)
    if name is None and len(cameras) == 1:
        return next(iter(cameras.values()))
    if name in cameras:
        return cameras[name]
    wanted = "several cameras and no name" if name is None else f"no camera {name!r}"
    raise FormatError(f"{path}: {wanted}; choose one of: {', '.join(cameras)} (as FILE:NAME)")


def _camera_from_table(path: Path, key: str, table: Mapping[str, object]) -> Camera:
    if table.get("fisheye"):
        raise FormatError(
            f"{path}: camera {key!r} has a fisheye model, whose coefficients mean something else; "
            "expected OpenCV's k1 k2 p1 p2 k3 ...; undistort the keypoints first"
        )
    try:
        size = table.get("size")
        return Camera(
            intrinsics=np.array(table["matrix"], np.float64),
            distortion=np.array(table.get("distortions", []), np.float64),
            rotation=_rotation_matrix(np.array(table.get("rotation", [0.0, 0.0, 0.0]), np.float64)),
            translation=np.array(table.get("translation", [0.0, 0.0, 0.0]), np.float64),
            image_size=None if size is None else _image_size(size),
            name=str(table.get("name", key)),
        )
    except (GeometryError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: camera {key!r}: {error}") from error


def _rotation_matrix(rotation: Float64Array) -> Float64Array:
    if rotation.shape == (3, 3):
        return rotation
    if rotation.shape != (3,):
        raise GeometryError(f"rotation: expected a Rodrigues vector of 3 numbers, got shape {rotation.shape}")
    return np.asarray(cv2.Rodrigues(rotation)[0], np.float64)


def _image_size(size: object) -> tuple[int, int]:
    width, height = np.array(size, np.float64)
    if not (width > 0 and height > 0):
        raise GeometryError(f"size: expected positive width and height, got {size}")
    return round(width), round(height)
