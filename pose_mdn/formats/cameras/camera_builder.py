"""From the values that a file holds to a camera, or to one line that says what is wrong with them."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import FormatError, GeometryError
from pose_mdn.formats.faults import fault, shown
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.lens_model import BROWN, LensModel

Float64Array = NDArray[np.float64]

METRES_PER_UNIT = {"m": 1.0, "cm": 0.01, "mm": 0.001}
"""Units of length that files may name."""

_LARGEST_SIDE_PX = 1_000_000


def build_camera(
    path: Path,
    name: str,
    *,
    intrinsics: object,
    distortion: object = (),
    lens_model: LensModel = BROWN,
    rotation: object = None,
    translation: object = None,
    metres_per_unit: float = 1.0,
    image_size: object = None,
) -> Camera:
    """A camera of whatever a file held.

    Args:
        path: The file, for messages.
        name: The camera's name.
        intrinsics: 3 x 3 matrix in pixels.
        distortion: Coefficients, in any shape.
        lens_model: What they mean.
        rotation: From world to camera: a Rodrigues vector of 3 numbers in radians or a matrix of 9; none if `None`.
        translation: Of the world's origin in the camera frame, in any shape; none if `None`.
        metres_per_unit: The unit of `translation`.
        image_size: Width and height in pixels, if known.

    Raises:
        FormatError: They make no camera.
    """
    try:
        return Camera(
            intrinsics=numbers("matrix", intrinsics),
            distortion=numbers("distortion", distortion).reshape(-1),
            lens_model=lens_model,
            rotation=np.eye(3) if rotation is None else rotation_matrix(rotation),
            translation=np.zeros(3) if translation is None else _translation(translation) * metres_per_unit,
            image_size=None if image_size is None else _image_size(image_size),
            name=name,
        )
    except GeometryError as error:
        raise FormatError(" ".join(f"{path}: camera {name!r}: {error}".split())) from error


def by_name(path: Path, cameras: Iterable[Camera]) -> dict[str, Camera]:
    """Cameras by their names.

    Raises:
        FormatError: Two have the same.
    """
    found: dict[str, Camera] = {}
    for camera in cameras:
        if camera.name in found:
            raise fault(path, expected="one camera of each name", got=f"two of {camera.name!r}", cure="rename one")
        found[camera.name] = camera
    return found


def numbers(name: str, value: object) -> Float64Array:
    """Finite numbers in whatever shape.

    Raises:
        GeometryError: Something else.
    """
    try:
        array = np.asarray(value)
        if array.size and array.dtype.kind not in "fiu":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise GeometryError(f"{name}: expected numbers, got {shown(value)}") from error
    if not np.isfinite(array).all():
        raise GeometryError(f"{name}: expected finite numbers, got {shown(array.ravel().tolist())}")
    return array


def rotation_matrix(rotation: object) -> Float64Array:
    """A matrix (3, 3) of 9 numbers or of a Rodrigues vector of 3 in radians.

    Raises:
        GeometryError: Neither.
    """
    values = numbers("rotation", rotation)
    if values.size == 9:
        return values.reshape(3, 3)
    if values.size != 3:
        raise GeometryError(f"rotation: expected a Rodrigues vector of 3 numbers or a matrix of 9, got {values.size}")
    return np.asarray(cv2.Rodrigues(values.reshape(3))[0], np.float64)


def rotation_of_quaternion(wxyz: object) -> Float64Array:
    """The rotation matrix (3, 3) of a quaternion w x y z, which is normalised first.

    Raises:
        GeometryError: Not four numbers, or all zero.
    """
    values = numbers("quaternion", wxyz)
    norm = np.linalg.norm(values)
    if values.shape != (4,) or not 0 < norm < np.inf:
        raise GeometryError(f"quaternion: expected 4 numbers w x y z, not all zero, got {shown(values.tolist())}")
    w, x, y, z = values / norm
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + 2.0 * w * cross + 2.0 * cross @ cross)


def metres_per_unit(path: Path, unit: object) -> float:
    """The size of a unit that a file names; metres if it names none (`None`).

    Raises:
        FormatError: It is not one of `METRES_PER_UNIT`.
    """
    if unit is None:
        return 1.0
    if isinstance(unit, str) and unit in METRES_PER_UNIT:
        return METRES_PER_UNIT[unit]
    known = ", ".join(METRES_PER_UNIT)
    raise fault(path, expected=f"a unit of length out of {known}", got=shown(unit), cure="correct it, or leave it out")


def _translation(translation: object) -> Float64Array:
    values = numbers("translation", translation)
    if values.size != 3:
        raise GeometryError(f"translation: expected 3 numbers, got {values.size}")
    return values.reshape(3)


def _image_size(image_size: object) -> tuple[int, int]:
    sides = numbers("size", image_size).reshape(-1)
    if sides.shape != (2,) or not ((sides >= 1) & (sides <= _LARGEST_SIDE_PX)).all():
        raise GeometryError(f"size: expected positive width and height in pixels, got {shown(sides.tolist())}")
    return round(float(sides[0])), round(float(sides[1]))
