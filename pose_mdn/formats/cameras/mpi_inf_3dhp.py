"""The calibration files of MPI-INF-3DHP, `camera.calibration`: text, one block per camera, millimetres.

    Skeletool Camera Calibration File V1.0
    name          0
      sensor      10 10
      size        2048 2048
      animated    0
      intrinsic   (16 numbers, a 4 x 4 matrix row by row, pixels)
      extrinsic   (16 numbers, world to camera, row by row, millimetres)
      radial      0

Axes are OpenCV's.
"""

from pathlib import Path

import numpy as np

from pose_mdn.errors import FormatError, GeometryError
from pose_mdn.formats.cameras.camera_builder import METRES_PER_UNIT, Float64Array, build_camera, by_name, numbers
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.keypoints.keypoint_format import first_bytes
from pose_mdn.geometry.camera import Camera

_FIRST_WORD = "Skeletool"
_CURE = "use the dataset's own camera.calibration"


def _read(path: Path) -> dict[str, Camera]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise fault(path, expected="text", got="other bytes", cure=_CURE) from error
    blocks: list[dict[str, list[str]]] = []
    for words in (line.split() for line in lines[1:]):
        if words[:1] == ["name"]:
            blocks.append({})
        if words and blocks:
            blocks[-1][words[0]] = words[1:]
    if not blocks or not lines[0].startswith(_FIRST_WORD):
        expected = f"{_FIRST_WORD!r} in the first line and a block `name` for each camera"
        raise fault(path, expected=expected, got=shown(lines[0] if lines else ""), cure=_CURE)
    return by_name(path, (_camera(path, block) for block in blocks))


def _camera(path: Path, block: dict[str, list[str]]) -> Camera:
    name = " ".join(block["name"])
    for key, means in (("animated", "that moves"), ("radial", "with a distortion of which nobody wrote down the form")):
        if key in block and _values(path, name, block, key).any():
            raise fault(path, expected=f"`{key} 0`", got=f"a camera {name!r} {means}", cure=_CURE)
    intrinsic, extrinsic = (_matrix(path, name, block, key) for key in ("intrinsic", "extrinsic"))
    return build_camera(
        path,
        name,
        intrinsics=intrinsic[:3, :3],
        rotation=extrinsic[:3, :3],
        translation=extrinsic[:3, 3],
        metres_per_unit=METRES_PER_UNIT["mm"],
        image_size=_values(path, name, block, "size"),
    )


def _matrix(path: Path, name: str, block: dict[str, list[str]], key: str) -> Float64Array:
    values = _values(path, name, block, key)
    if values.size != 16:
        raise fault(path, expected=f"16 numbers as `{key}` of camera {name!r}", got=str(values.size), cure=_CURE)
    return values.reshape(4, 4)


def _values(path: Path, name: str, block: dict[str, list[str]], key: str) -> Float64Array:
    if key not in block:
        raise fault(path, expected=f"a line `{key}` for camera {name!r}", got="none", cure=_CURE)
    try:
        return numbers(key, np.array(block[key], np.float64))
    except (ValueError, GeometryError) as error:
        raise FormatError(f"{path}: camera {name!r}: `{key}`: expected numbers, got {shown(block[key])}") from error


FORMAT = CameraFormat(
    name="mpi_inf_3dhp",
    description="MPI-INF-3DHP camera.calibration",
    matches=lambda path: first_bytes(path, 64).startswith(_FIRST_WORD.encode()),
    read=_read,
)
"""The cameras of MPI-INF-3DHP."""
