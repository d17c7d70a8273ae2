"""The calibrated cameras of Human3.6M."""

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.formats.cameras.camera_builder import rotation_of_quaternion
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.geometry.camera import Camera

_MM_PER_M = 1000.0
_FIGURES = "human36m.toml"
_NAME = "human36m"


@cache
def human36m_cameras(subject: str) -> tuple[Camera, ...]:
    """The four cameras as they stood when a subject was recorded, in the order of the dataset's files.

    World: the dataset's, metres, Z up. The dataset's tangential terms are taken as OpenCV's p1 and p2. VideoPose3D,
    whose script makes `data_2d_h36m_gt.npz`, leaves out OpenCV's factor of 2 and exchanges the two, which moves joints
    by less than a pixel.

    Args:
        subject: "S1", "S5", "S6", "S7", "S8", "S9" or "S11".

    Raises:
        InputError: No calibration of this subject has been published.
    """
    figures = _figures()
    stands = figures["stand"]
    if subject not in stands:
        raise InputError(f"subject: expected one of {', '.join(stands)}, got {subject!r}; check its name in the file")
    cameras = []
    for lens, stand in zip(figures["camera"], stands[subject], strict=True):
        to_camera = rotation_of_quaternion(stand["orientation"]).T
        k1, k2, k3 = lens["radial"]
        cameras.append(
            Camera(
                intrinsics=_intrinsics(lens["focal"], lens["center"]),
                distortion=np.array([k1, k2, *lens["tangential"], k3]),
                rotation=to_camera,
                translation=-to_camera @ (np.array(stand["position_mm"]) / _MM_PER_M),
                image_size=(lens["image_size"][0], lens["image_size"][1]),
                name=lens["name"],
            )
        )
    return tuple(cameras)


def _intrinsics(focal: list[float], center: list[float]) -> NDArray[np.float64]:
    return np.array([[focal[0], 0.0, center[0]], [0.0, focal[1], center[1]], [0.0, 0.0, 1.0]])


def _read(_path: Path) -> dict[str, Camera]:
    cameras = [
        replace(camera, name=f"{subject}.{camera.name}")
        for subject in _figures()["stand"]
        for camera in human36m_cameras(subject)
    ]
    return {camera.name: camera for camera in cameras}


@cache
def _figures() -> dict[str, Any]:
    return tomllib.loads(files("pose_mdn.formats.cameras").joinpath(_FIGURES).read_text("utf-8"))


FORMAT = CameraFormat(
    name=_NAME,
    description="human36m:S9.54138969 and so on, which need no file",
    matches=lambda path: str(path) == _NAME and not path.exists(),
    read=_read,
)
"""The cameras of Human3.6M by subject and number, as if they were a file."""
