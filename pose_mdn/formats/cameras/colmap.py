"""COLMAP's sparse models as text: `cameras.txt` and, if poses are known, `images.txt` beside it.

COLMAP's upper left pixel has its centre at (0.5, 0.5), ours at (0, 0). A reconstruction has no unit of length of its
own; translations are taken for metres, which they are only if the model was scaled.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pose_mdn.formats.cameras.camera_builder import build_camera, by_name, rotation_of_quaternion
from pose_mdn.formats.cameras.camera_format import CameraFormat
from pose_mdn.formats.faults import fault, shown, unreadable
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.lens_model import BROWN, FISHEYE, LensModel

_MODELS: dict[str, tuple[LensModel, str]] = {
    "SIMPLE_PINHOLE": (BROWN, "f cx cy"),
    "PINHOLE": (BROWN, "fx fy cx cy"),
    "SIMPLE_RADIAL": (BROWN, "f cx cy k1"),
    "RADIAL": (BROWN, "f cx cy k1 k2"),
    "OPENCV": (BROWN, "fx fy cx cy k1 k2 p1 p2"),
    "FULL_OPENCV": (BROWN, "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6"),
    "OPENCV_FISHEYE": (FISHEYE, "fx fy cx cy k1 k2 k3 k4"),
    "SIMPLE_RADIAL_FISHEYE": (FISHEYE, "f cx cy k1"),
    "RADIAL_FISHEYE": (FISHEYE, "f cx cy k1 k2"),
}
"""The models that are OpenCV's lenses, and their parameters in COLMAP's order."""

_COEFFICIENTS = {
    "FULL_OPENCV": "k1 k2 p1 p2 k3 k4 k5 k6",
    BROWN: "k1 k2 p1 p2",
    FISHEYE: "k1 k2 k3 k4",
}
_PIXEL_CENTRE = 0.5
_IMAGE_FIELDS = 10
_CURE = "write the model again with `colmap model_converter --output_type TXT`"

Lens = partial[Camera]
"""A camera that lacks only its file, name and pose."""


def _read(path: Path) -> dict[str, Camera]:
    folder = path if path.is_dir() else path.parent
    intrinsics, images = folder / "cameras.txt", folder / "images.txt"
    if not intrinsics.exists() and (folder / "cameras.bin").exists():
        raise fault(path, expected="COLMAP's text files", got="its binary ones", cure=_CURE)
    lenses = dict(_lens(intrinsics, words) for words in _records(intrinsics))
    if not lenses:
        raise fault(intrinsics, expected="a line for each camera", got="none", cure=_CURE)
    if not images.exists():
        return by_name(path, (lens(intrinsics, key) for key, lens in lenses.items()))
    found = by_name(images, (_image(images, words, lenses) for words in _records(images, alternate=True)))
    if not found:
        raise fault(images, expected="two lines for each image", got="none", cure=_CURE)
    return found


def _records(path: Path, *, alternate: bool = False) -> Iterator[list[str]]:
    """The words of every line that is no comment; if `alternate`, without the line after each, an image's points."""
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("#") or not line.strip():
                    continue
                yield line.split(maxsplit=_IMAGE_FIELDS - 1 if alternate else -1)
                if alternate:
                    next(lines, None)
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise fault(path, expected="text", got="other bytes", cure=_CURE) from error


def _lens(path: Path, words: list[str]) -> tuple[str, Lens]:
    """A camera's id, and what is known of it."""
    if len(words) < 4:
        raise fault(path, expected="CAMERA_ID MODEL WIDTH HEIGHT PARAMS", got=shown(" ".join(words)), cure=_CURE)
    key, model = words[:2]
    if model not in _MODELS:
        raise fault(
            path,
            expected=f"one of the lenses that OpenCV has too ({', '.join(_MODELS)})",
            got=f"{shown(model)} for camera {shown(key)}",
            cure="reconstruct with one of these, or undistort the pictures with `colmap image_undistorter`",
        )
    lens_model, names = _MODELS[model]
    width, height, *given = (_number(path, word) for word in words[2:])
    if len(given) != len(names.split()):
        raise fault(path, expected=f"{len(names.split())} parameters of {model}", got=str(len(given)), cure=_CURE)
    values = dict(zip(names.split(), given, strict=True))
    focal = (values.get("fx", values.get("f")), values.get("fy", values.get("f")))
    center = [values["cx"] - _PIXEL_CENTRE, values["cy"] - _PIXEL_CENTRE]
    coefficients = _COEFFICIENTS.get(model, _COEFFICIENTS[lens_model]).split()
    return key, partial(
        build_camera,
        intrinsics=[[focal[0], 0, center[0]], [0, focal[1], center[1]], [0, 0, 1]],
        distortion=[values.get(name, 0.0) for name in coefficients],
        lens_model=lens_model,
        image_size=[width, height],
    )


def _image(path: Path, words: list[str], lenses: dict[str, Lens]) -> Camera:
    if len(words) < _IMAGE_FIELDS:
        expected = "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME"
        raise fault(path, expected=expected, got=shown(" ".join(words)), cure=_CURE)
    key, name = words[8], words[9].strip()
    if key not in lenses:
        raise fault(path, expected=f"a camera of cameras.txt for {shown(name)}", got=shown(key), cure=_CURE)
    quaternion = [_number(path, word) for word in words[1:5]]
    if not any(quaternion):
        raise fault(path, expected=f"a rotation of {shown(name)}", got="zeros", cure=_CURE)
    translation = [_number(path, word) for word in words[5:8]]
    return lenses[key](path, name, rotation=rotation_of_quaternion(quaternion), translation=translation)


def _number(path: Path, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e100:
        raise fault(path, expected="numbers", got=shown(word), cure=_CURE)
    return value


def _matches(path: Path) -> bool:
    if path.is_dir():
        return any((path / f"cameras.{suffix}").exists() for suffix in ("txt", "bin"))
    return path.name in {"cameras.txt", "images.txt"} and path.exists()


FORMAT = CameraFormat(
    name="colmap", description="a COLMAP folder with cameras.txt and images.txt", matches=_matches, read=_read
)
"""COLMAP's text export."""
