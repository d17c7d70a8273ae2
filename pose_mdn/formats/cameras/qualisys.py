"""Qualisys calibrations, `*.qca.txt`, as Qualisys Track Manager exports them: XML in millimetres.

`transform` says where a camera stands, and its matrix holds the camera's axes in the world as rows: x right, y *up*, z
*backward*. `intrinsic` is in 64ths of a pixel of the whole sensor, from which `fov_video` cuts the picture;
`video_resolution` says if it was then made smaller. Distortion is dimensionless, in OpenCV's terms. `viewrotation`
turns what is shown on the screen, not the pictures, and is left alone.
"""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from pose_mdn.formats.cameras.camera_builder import METRES_PER_UNIT, build_camera, by_name
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.formats.keypoints.keypoint_format import first_bytes
from pose_mdn.geometry.camera import Camera

_SUBPIXELS = 64.0
_FULL_RESOLUTION = 1080.0
"""Rows of a video that is not made smaller, by Qualisys's naming ("1080p"), whatever the sensor."""
_TO_OPENCV_AXES = np.diag([1.0, -1.0, -1.0])
_CURE = "export the calibration from Qualisys Track Manager again"


def _read(path: Path) -> dict[str, Camera]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error) from error
    except (SyntaxError, ValueError, LookupError) as error:
        raise fault(path, expected="XML", got=f"other text ({shown(str(error))})", cure=_CURE) from error
    elements = [element for element in root.iterfind("cameras/camera") if _films(path, element)]
    if not elements:
        got = f"<{shown(root.tag)}> without any"
        raise fault(path, expected="<camera> with <fov_video> in <cameras>", got=got, cure=_CURE)
    return by_name(path, (_camera(path, element) for element in elements))


def _films(path: Path, camera: ElementTree.Element) -> bool:
    """Whether it is a video camera, and not one that only sees markers."""
    window = camera.find("fov_video")
    return window is not None and _number(path, window, "right") > _number(path, window, "left")


def _camera(path: Path, element: ElementTree.Element) -> Camera:
    window, intrinsic, transform = (_child(path, element, tag) for tag in ("fov_video", "intrinsic", "transform"))
    left, top, right, bottom = (_number(path, window, side) for side in ("left", "top", "right", "bottom"))
    smaller = _scale(path, element)
    fx, fy, cx, cy = (
        _number(path, intrinsic, key) / _SUBPIXELS
        for key in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
    )
    if _number(path, intrinsic, "skew", 0.0) != 0:
        raise fault(path, expected="skew 0", got=shown(intrinsic.get("skew")), cure=_CURE)
    axes = np.array([[_number(path, transform, f"r{row}{column}") for column in (1, 2, 3)] for row in (1, 2, 3)])
    position = np.array([_number(path, transform, axis) for axis in ("x", "y", "z")])
    rotation = _TO_OPENCV_AXES @ axes
    return build_camera(
        path,
        element.get("serial", ""),
        intrinsics=[[fx * smaller, 0, (cx - left) * smaller], [0, fy * smaller, (cy - top) * smaller], [0, 0, 1]],
        distortion=[
            _number(path, intrinsic, "radialDistortion1", 0.0),
            _number(path, intrinsic, "radialDistortion2", 0.0),
            _number(path, intrinsic, "tangentalDistortion1", 0.0),
            _number(path, intrinsic, "tangentalDistortion2", 0.0),
            _number(path, intrinsic, "radialDistortion3", 0.0),
        ],
        rotation=rotation,
        translation=-rotation @ position,
        metres_per_unit=METRES_PER_UNIT["mm"],
        image_size=[(right - left + 1) * smaller, (bottom - top + 1) * smaller],
    )


def _scale(path: Path, camera: ElementTree.Element) -> float:
    """By how much the pictures were made smaller."""
    resolution = camera.get("video_resolution", "N/A")
    if resolution == "N/A":
        return 1.0
    rows = resolution.removesuffix("p")
    if not rows.isdecimal() or not 0 < int(rows) <= 10 * _FULL_RESOLUTION:
        raise fault(path, expected="a video_resolution such as 1080p", got=shown(resolution), cure=_CURE)
    return int(rows) / _FULL_RESOLUTION


def _child(path: Path, element: ElementTree.Element, tag: str) -> ElementTree.Element:
    child = element.find(tag)
    if child is None:
        raise fault(path, expected=f"<{tag}> in camera {shown(element.get('serial'))}", got="none", cure=_CURE)
    return child


def _number(path: Path, element: ElementTree.Element, key: str, default: float | None = None) -> float:
    text = element.get(key)
    if text is None and default is not None:
        return default
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise fault(path, expected=f"a number as {key!r} of <{element.tag}>", got=shown(text), cure=_CURE)
    return value


def _matches(path: Path) -> bool:
    return path.name.lower().endswith((".qca.txt", ".qca")) or b"<calibration" in first_bytes(path)


FORMAT = CameraFormat(name="qualisys", description="Qualisys *.qca.txt", matches=_matches, read=_read)
"""What Qualisys Track Manager exports."""
