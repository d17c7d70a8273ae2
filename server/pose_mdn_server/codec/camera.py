"""The camera of a request."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.camera import validate_intrinsics
from pose_mdn.geometry.lens import validate_distortion
from pose_mdn.poses.keypoints import KeypointSequence
from pose_mdn.poses.lens_model import BROWN, FISHEYE, LensModel
from pose_mdn_server.rpc import camera_pb2
from pose_mdn_server.violations import Violations

Matrices = NDArray[np.float64]

_LENS_MODELS: dict[int, LensModel] = {
    camera_pb2.LENS_MODEL_UNSPECIFIED: BROWN,
    camera_pb2.LENS_MODEL_BROWN: BROWN,
    camera_pb2.LENS_MODEL_FISHEYE: FISHEYE,
}

MAX_IMAGE_SIDE_PX = 1_000_000
"""Larger pictures are typing errors."""


@dataclass(frozen=True, kw_only=True)
class DecodedCamera:
    """A valid camera.

    Attributes:
        intrinsics: (3, 3) or (N, 3, 3) pinhole matrices, if known.
        distortion: OpenCV coefficients, if the lens distorts.
        lens_model: What they mean.
        image_size: (width, height) in pixels, if known.
    """

    intrinsics: Matrices | None
    distortion: NDArray[np.float64] | None
    lens_model: LensModel
    image_size: tuple[int, int] | None


def decode_camera(camera: camera_pb2.Camera, num_poses: int, violations: Violations) -> DecodedCamera:
    """Read a camera; notes what is wrong with it."""
    return DecodedCamera(
        intrinsics=_decode_intrinsics(camera, num_poses, violations),
        distortion=_decode_distortion(camera, violations),
        lens_model=_LENS_MODELS.get(camera.lens_model, BROWN),
        image_size=_decode_image_size(camera, violations),
    )


def encode_camera(sequence: KeypointSequence) -> camera_pb2.Camera:
    """The camera of a sequence; what is unknown stays empty."""
    width, height = sequence.image_size or (0, 0)
    return camera_pb2.Camera(
        intrinsics=[] if sequence.intrinsics is None else sequence.intrinsics.ravel().tolist(),
        distortion=[] if sequence.distortion is None else sequence.distortion.ravel().tolist(),
        image_width_px=width,
        image_height_px=height,
        lens_model=encode_lens_model(sequence.lens_model),
    )


def encode_lens_model(lens_model: LensModel) -> camera_pb2.LensModel:
    """Its number on the wire."""
    return camera_pb2.LENS_MODEL_FISHEYE if lens_model == FISHEYE else camera_pb2.LENS_MODEL_BROWN


def _decode_intrinsics(camera: camera_pb2.Camera, num_poses: int, violations: Violations) -> Matrices | None:
    values = np.array(camera.intrinsics, dtype=np.float64)
    if values.size == 0:
        return None
    if not violations.require(
        values.size in {9, num_poses * 9},
        "camera.intrinsics",
        f"expected 0, 9 or {num_poses} * 9 values, one matrix for all {num_poses} poses or one each, got {values.size}",
    ):
        return None
    shape = (3, 3) if values.size == 9 else (num_poses, 3, 3)
    return violations.checked("camera.intrinsics", validate_intrinsics, values.reshape(shape))


def _decode_distortion(camera: camera_pb2.Camera, violations: Violations) -> NDArray[np.float64] | None:
    known = ", ".join(camera_pb2.LensModel.keys())
    if not violations.require(
        camera.lens_model in _LENS_MODELS, "camera.lens_model", f"expected one of {known}, got {camera.lens_model}"
    ):
        return None
    lens_model = _LENS_MODELS[camera.lens_model]
    if len(camera.distortion) == 0 and lens_model == BROWN:
        return None
    violations.require(
        len(camera.intrinsics) > 0,
        "camera.intrinsics",
        "expected values because `distortion` is given, got none; a lens model means nothing without its matrix",
    )
    coefficients = np.array(camera.distortion, dtype=np.float64)
    return violations.checked("camera.distortion", partial(validate_distortion, lens_model=lens_model), coefficients)


def _decode_image_size(camera: camera_pb2.Camera, violations: Violations) -> tuple[int, int] | None:
    sides = {"camera.image_width_px": camera.image_width_px, "camera.image_height_px": camera.image_height_px}
    if not any(sides.values()):
        return None
    for field, side in sides.items():
        violations.require(
            0 < side <= MAX_IMAGE_SIDE_PX,
            field,
            f"expected 1 to {MAX_IMAGE_SIDE_PX}, or 0 for both width and height if unknown, got {side}",
        )
    return camera.image_width_px, camera.image_height_px
