"""Plain arrays, as callers have them, to a sequence that the library trusts."""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_mdn.errors import InputError
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import BROWN, LensModel
from pose_mdn.skeletons.registry import get_skeleton
from pose_mdn.skeletons.skeleton import Skeleton

_NUMERIC_KINDS = "fiub"
_Float = TypeVar("_Float", np.float32, np.float64)


def sequence_from_arrays(
    keypoints_px: ArrayLike,
    confidence: ArrayLike | None = None,
    *,
    skeleton: str | Skeleton,
    intrinsics: ArrayLike | None = None,
    distortion: ArrayLike | None = None,
    lens_model: LensModel = BROWN,
    image_size: tuple[int, int] | None = None,
) -> KeypointSequence:
    """Check shapes and types, and number the rows.

    Args:
        keypoints_px: (N, J, 2) pixels, NaN where missing; a single pose (J, 2) counts as N = 1.
        confidence: (N, J), or (J,) for a single pose; 1 for every finite joint if left out.
        skeleton: The layout of the J joints, by name or as an object.
        intrinsics: (3, 3) or (N, 3, 3).
        distortion: OpenCV coefficients k1 k2 p1 p2 k3 ..., or k1 k2 k3 k4 of a fisheye.
        lens_model: "brown" or "fisheye": what the coefficients mean.
        image_size: (width, height) in pixels.

    Raises:
        InputError: An array has a wrong shape or type; `field` names it.
    """
    layout = skeleton if isinstance(skeleton, Skeleton) else get_skeleton(skeleton)
    keypoints = _numbers("keypoints", keypoints_px, np.float32)
    single = keypoints.ndim == 2
    keypoints = keypoints[None] if single else keypoints
    if keypoints.ndim != 3 or keypoints.shape[1:] != (layout.num_joints, 2):
        raise _wrong_keypoints(np.shape(keypoints_px), layout)
    finite = np.asarray(np.isfinite(keypoints).all(axis=-1))
    weights = finite.astype(np.float32) if confidence is None else _numbers("confidence", confidence, np.float32)
    return KeypointSequence(
        keypoints_px=keypoints,
        confidence=weights[None] if single and weights.ndim == 1 else weights,
        skeleton=layout,
        frame=np.arange(len(keypoints)),
        person=np.where(finite.any(axis=1), 0, -1),
        image_size=None if image_size is None else _image_size(image_size),
        intrinsics=None if intrinsics is None else _numbers("intrinsics", intrinsics, np.float64),
        distortion=None if distortion is None else _numbers("distortion", distortion, np.float64),
        lens_model=lens_model,
    )


def _numbers(name: str, values: ArrayLike, dtype: type[_Float]) -> NDArray[_Float]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name}: expected an array of numbers, got rows of unequal length", field=name) from error
    if array.dtype.kind not in _NUMERIC_KINDS:
        raise InputError(f"{name}: expected an array of numbers, got dtype {array.dtype}", field=name)
    # Numbers too large for the type become infinite, and infinite coordinates count as missing.
    with np.errstate(over="ignore"):
        return array.astype(dtype, copy=False)


def _wrong_keypoints(shape: tuple[int, ...], layout: Skeleton) -> InputError:
    joints = layout.num_joints
    cure = ""
    if shape[-1:] == (3,):
        cure = "; give a third column apart, as `confidence`"
    elif len(shape) in (2, 3) and shape[-1] == 2:
        cure = "; name the layout of these joints with `skeleton`"
    return InputError(
        f"keypoints: expected shape (N, {joints}, 2), or ({joints}, 2) for one pose, for skeleton {layout.name!r}, "
        f"got {shape}{cure}",
        field="keypoints",
    )


def _image_size(image_size: tuple[int, int]) -> tuple[int, int]:
    sides = _numbers("image_size", image_size, np.float64)
    if sides.shape != (2,) or not (np.isfinite(sides) & (sides >= 1)).all():
        raise InputError(
            f"image_size: expected (width, height) above 0 in pixels, got {image_size!r}", field="image_size"
        )
    return int(sides[0]), int(sides[1])
