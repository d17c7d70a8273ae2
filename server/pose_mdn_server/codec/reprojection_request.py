"""Requests to check hypotheses.

Axis letters: N poses, M hypotheses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection import CheckSettings
from pose_mdn.reprojection.check import picture_size
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.codec.camera import DecodedCamera, decode_camera, encode_lens_model
from pose_mdn_server.codec.columns import flat
from pose_mdn_server.codec.hypotheses import decode_hypotheses
from pose_mdn_server.codec.keypoints import decode_keypoints
from pose_mdn_server.rpc import reprojection_pb2
from pose_mdn_server.violations import Violations

_SETTING_FIELDS = {"level": "level", "noise": "noise_of_size", "tolerance": "tolerance_of_size"}
"""What requests call the library's settings."""


@dataclass(frozen=True, kw_only=True)
class CheckJob:
    """A valid request.

    Attributes:
        hypotheses: N rows, with the keypoints and the camera of the request.
        camera: The camera, if it stands elsewhere than that of the hypotheses.
        lifted_with: That one, at the origin; `None` without `camera`.
        settings: How strictly to look.
    """

    hypotheses: HypothesisSequence
    camera: Camera | None
    lifted_with: Camera | None
    settings: CheckSettings


def decode_check_request(request: reprojection_pb2.CheckReprojectionRequest, *, max_poses: int) -> CheckJob:
    """Read a request.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    seen = decode_keypoints(request, max_poses=max_poses, violations=violations)
    num_poses = len(seen.keypoints_px)
    settings = _decode_settings(request.settings, violations)
    columns = decode_hypotheses(
        request.hypotheses, num_poses, needs_root=not _solves_root(request), violations=violations
    )
    camera = decode_camera(request.camera, num_poses, violations)
    violations.require(
        len(request.camera.intrinsics) > 0,
        "camera.intrinsics",
        f"expected 9 or {num_poses} * 9 values, got 0; without a camera nothing can be projected",
    )
    elsewhere = _decode_extrinsics(request, camera, violations) if request.HasField("extrinsics") else None
    violations.raise_if_any()
    hypotheses = columns.sequence(seen, camera)
    origin = None if elsewhere is None else Camera(intrinsics=elsewhere.intrinsics)
    return CheckJob(hypotheses=hypotheses, camera=elsewhere, lifted_with=origin, settings=settings)


def encode_check_request(
    hypotheses: HypothesisSequence,
    *,
    keypoints_px: NDArray[np.floating],
    confidence: NDArray[np.floating],
    camera: Camera | None,
    lifted_with: Camera | None,
    settings: CheckSettings,
) -> reprojection_pb2.CheckReprojectionRequest:
    """The request that asks for a check; arguments as `check_reprojection` has them, with nothing left out."""
    is_lifted = hypotheses.lifted[:, None]
    message = reprojection_pb2.CheckReprojectionRequest(
        hypotheses=reprojection_pb2.Hypotheses(
            num_hypotheses=hypotheses.num_hypotheses,
            means_m=flat(np.where(is_lifted[..., None, None], hypotheses.means_m, np.nan)),
            std_m=flat(hypotheses.std_m),
            view_rotation=flat(hypotheses.view_rotation),
            mixing_coefficients=flat(hypotheses.mixing_coefficients),
            root_translation_m=flat(hypotheses.root_translation_m),
        ),
        keypoints_px=flat(keypoints_px),
        confidence=flat(np.clip(np.nan_to_num(confidence, nan=0.0), 0.0, 1.0)),
        skeleton=HUMAN36M17.name,
        settings=reprojection_pb2.CheckSettings(
            level=settings.level,
            noise_of_size=settings.noise,
            tolerance_of_size=settings.tolerance,
            estimate_root=settings.estimate_root,
        ),
    )
    matrices = hypotheses.intrinsics
    if camera is not None:
        matrices = camera.intrinsics[None]
    elif (matrices == matrices[:1]).all():
        matrices = matrices[:1]
    message.camera.intrinsics.extend(flat(matrices))
    lens = hypotheses if camera is None else camera
    message.camera.distortion.extend(flat(lens.distortion))
    message.camera.lens_model = encode_lens_model(lens.lens_model)
    width, height = picture_size(hypotheses, camera) or (0, 0)
    message.camera.image_width_px, message.camera.image_height_px = width, height
    if camera is not None and lifted_with is not None:
        rotation = camera.rotation @ lifted_with.rotation.T
        message.extrinsics.rotation.extend(flat(rotation))
        message.extrinsics.translation_m.extend(flat(camera.translation - rotation @ lifted_with.translation))
    return message


def _decode_settings(message: reprojection_pb2.CheckSettings, violations: Violations) -> CheckSettings:
    given = {name: getattr(message, field) for name, field in _SETTING_FIELDS.items() if message.HasField(field)}
    for name, value in given.items():
        try:
            CheckSettings(**{name: value})
        except InputError as error:
            violations.add(f"settings.{_SETTING_FIELDS[name]}", str(error).partition(": ")[2])
    if violations.found:
        return CheckSettings()
    asked = message.estimate_root if message.HasField("estimate_root") else None
    return CheckSettings(**given, estimate_root=asked)


def _solves_root(request: reprojection_pb2.CheckReprojectionRequest) -> bool:
    """Whether the pelvis need not be given."""
    if request.settings.HasField("estimate_root"):
        return request.settings.estimate_root
    return request.HasField("extrinsics")


def _decode_extrinsics(
    request: reprojection_pb2.CheckReprojectionRequest, camera: DecodedCamera, violations: Violations
) -> Camera | None:
    """The camera where it stands; `None` if it or something of it is wrong, which is then noted."""
    message, intrinsics = request.extrinsics, camera.intrinsics
    if intrinsics is None:
        return None
    fits = violations.require(
        intrinsics.ndim == 2,
        "camera.intrinsics",
        f"expected 9 values, one matrix for all poses because `extrinsics` are given, got {intrinsics.size}",
    )
    for field, wanted in (("rotation", 9), ("translation_m", 3)):
        got = len(getattr(message, field))
        fits &= violations.require(got == wanted, f"extrinsics.{field}", f"expected {wanted} values, got {got}")
    if not fits:
        return None
    rotation, translation = np.array(message.rotation).reshape(3, 3), np.array(message.translation_m)

    def turned(value: NDArray[np.float64]) -> Camera:
        return Camera(intrinsics=intrinsics, rotation=value)

    def placed(value: NDArray[np.float64]) -> Camera:
        return Camera(intrinsics=intrinsics, translation=value)

    valid = (
        violations.checked("extrinsics.rotation", turned, rotation),
        violations.checked("extrinsics.translation_m", placed, translation),
    )
    if None in valid:
        return None
    return Camera(
        intrinsics=intrinsics,
        distortion=np.zeros(0) if camera.distortion is None else camera.distortion,
        lens_model=camera.lens_model,
        rotation=rotation,
        translation=translation,
        image_size=camera.image_size,
    )
