"""The optional keys about camera and clip, which keypoints files and hypotheses files share."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_mdn.formats.array_checks import NUMBERS, Array, check_array, to_int64, to_positive, to_text
from pose_mdn.formats.faults import fault, shown
from pose_mdn.poses.lens_model import BROWN, DISTORTION_SIZES, FISHEYE, LENS_MODELS, LensModel

_COUNTS = {BROWN: "4, 5, 8, 12 or 14", FISHEYE: "4"}


def read_intrinsics(path: Path, array: Array, rows: int) -> NDArray[np.float64]:
    """A pinhole matrix (3, 3), or one per row (N, 3, 3), float64.

    Raises:
        FormatError: Another shape, a number that is not finite, or a focal length that is not positive.
    """
    shape = (3, 3) if array.ndim == 2 else ("N", 3, 3)
    check_array(path, "intrinsics", array, kinds=NUMBERS, shape=shape, sizes={"N": rows})
    matrix = array.astype(np.float64)
    focal = matrix[..., (0, 1), (0, 1)]
    if not np.isfinite(matrix).all() or not (focal > 0).all():
        raise fault(
            path,
            expected="finite 'intrinsics' with focal lengths above 0 px",
            got=shown(matrix.reshape(-1, 3, 3)[0].tolist()),
            cure="write [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels, or leave the key out",
        )
    return matrix


def read_lens_model(path: Path, array: Array | None) -> LensModel:
    """What distortion coefficients mean; files that do not say it mean the ordinary model."""
    text = BROWN if array is None else to_text(path, "lens_model", array)
    for model in LENS_MODELS:
        if text == model:
            return model
    known = " or ".join(map(repr, LENS_MODELS))
    raise fault(path, expected=f"{known} in 'lens_model'", got=shown(text), cure="correct it, or leave the key out")


def read_distortion(path: Path, array: Array, lens_model: LensModel = BROWN) -> NDArray[np.float64]:
    """Distortion coefficients (K,), float64, in OpenCV's order."""
    coefficients = array.reshape(-1)
    if (
        array.dtype.kind not in NUMBERS
        or coefficients.size not in DISTORTION_SIZES[lens_model]
        or not np.isfinite(coefficients.astype(np.float64)).all()
    ):
        raise fault(
            path,
            expected=f"{_COUNTS[lens_model]} finite numbers in 'distortion'",
            got=f"dtype {array.dtype}, shape {array.shape}",
            cure="write OpenCV's k1 k2 p1 p2 k3 ..., or k1 k2 k3 k4 of a fisheye, or leave the key out",
        )
    return coefficients.astype(np.float64)


def read_image_size(path: Path, array: Array) -> tuple[int, int]:
    """(width, height) in pixels."""
    check_array(path, "image_size", array, kinds=NUMBERS, shape=(2,), sizes={})
    width, height = (int(side) for side in to_int64(path, "image_size", array))
    if min(width, height) <= 0:
        raise fault(
            path,
            expected="width and height above 0 in 'image_size'",
            got=f"({width}, {height})",
            cure="write [width, height] in pixels, or leave the key out",
        )
    return width, height


def read_fps(path: Path, array: Array) -> float:
    """Frames per second."""
    return to_positive(path, "fps", array)


def read_tracked(path: Path, array: Array | None, *, default: bool) -> bool:
    """Whether `person` numbers mean the same people in every frame; the default if the file does not say."""
    if array is None:
        return default
    if array.size != 1 or array.dtype.kind not in "biu" or array.reshape(-1)[0].item() not in {0, 1}:
        raise fault(path, expected="true or false in 'tracked'", got=shown(array.tolist()), cure="leave the key out")
    return bool(array.reshape(-1)[0].item())
