"""Requests to fuse views.

Axis letters: V views, N poses of one view, M hypotheses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.fusion import FusionSettings
from pose_mdn.geometry.camera import Camera
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.skeletons import HUMAN36M17
from pose_mdn_server.codec.camera import DecodedCamera, decode_camera, encode_lens_model
from pose_mdn_server.codec.columns import flat
from pose_mdn_server.codec.hypotheses import decode_hypotheses
from pose_mdn_server.codec.keypoints import decode_keypoints, encode_confidence
from pose_mdn_server.errors import RequestError
from pose_mdn_server.rpc import camera_pb2, pose_fusion_pb2, reprojection_pb2
from pose_mdn_server.violations import Violations

MAX_VIEWS = 64
"""More are typing errors: every two of them are compared."""

_METHODS = {
    pose_fusion_pb2.FUSION_METHOD_UNSPECIFIED: "posterior",
    pose_fusion_pb2.FUSION_METHOD_POSTERIOR: "posterior",
    pose_fusion_pb2.FUSION_METHOD_CONSISTENCY: "consistency",
    pose_fusion_pb2.FUSION_METHOD_TRIANGULATION: "triangulation",
}
_METHOD_OF_NAME = {name: value for value, name in _METHODS.items()}
_SETTING_FIELDS = {"noise": "noise_of_size", "num_hypotheses": "num_hypotheses"}
"""What requests call the library's settings."""


@dataclass(frozen=True, kw_only=True)
class FusionJob:
    """A valid request, ready for `fuse_views`, after matching people if that is asked for."""

    hypotheses: dict[str, HypothesisSequence]
    cameras: dict[str, Camera]
    settings: FusionSettings
    match_people: bool


def decode_fusion_request(request: pose_fusion_pb2.FusePosesRequest, *, max_poses: int) -> FusionJob:
    """Read a request of at most `max_poses` poses in all views together.

    Raises:
        RequestError: With every violation found.
    """
    violations = Violations()
    count = len(request.views)
    violations.require(1 <= count <= MAX_VIEWS, "views", f"expected 1 to {MAX_VIEWS} views, got {count}")
    names = [view.name for view in request.views]
    for number, name in enumerate(names):
        told = name and name not in names[:number]
        violations.require(bool(told), f"views[{number}].name", f"expected a name of its own, got {name!r}")
    settings = _decode_settings(request.settings, violations)
    hypotheses, cameras = {}, {}
    for number, view in enumerate(request.views[:MAX_VIEWS]):
        found = _decode_view(view, f"views[{number}]", max_poses, violations)
        if found is not None:
            hypotheses[view.name], cameras[view.name] = found
    total = sum(map(len, hypotheses.values()))
    violations.require(
        total <= max_poses,
        "views",
        f"expected at most {max_poses} poses in all views together, got {total}; send fewer",
    )
    violations.raise_if_any()
    return FusionJob(
        hypotheses=hypotheses, cameras=cameras, settings=settings, match_people=request.settings.match_people
    )


def encode_fusion_request(
    hypotheses: Mapping[str, HypothesisSequence],
    cameras: Mapping[str, Camera],
    settings: FusionSettings,
    *,
    persons: Sequence[NDArray[np.integer]] | None,
    offsets: Mapping[str, int],
    match_people: bool,
) -> pose_fusion_pb2.FusePosesRequest:
    """The request that asks for a fusion; arguments as `fuse_views` has them."""
    numbers = [view.person for view in hypotheses.values()] if persons is None else persons
    return pose_fusion_pb2.FusePosesRequest(
        views=[
            _encode_view(
                name, view, cameras[name], None if match_people and not view.tracked else number, offsets.get(name, 0)
            )
            for (name, view), number in zip(hypotheses.items(), numbers, strict=True)
        ],
        settings=pose_fusion_pb2.FusionSettings(
            method=_METHOD_OF_NAME[settings.method],
            noise_of_size=settings.noise,
            num_hypotheses=settings.num_hypotheses,
            keep_all=not settings.reject,
            match_people=match_people,
        ),
    )


def _decode_settings(message: pose_fusion_pb2.FusionSettings, violations: Violations) -> FusionSettings:
    known = message.method in _METHODS
    violations.require(known, "settings.method", f"expected one of 0 to {max(_METHODS)}, got {message.method}")
    given = {name: getattr(message, field) for name, field in _SETTING_FIELDS.items() if message.HasField(field)}
    for name, value in list(given.items()):
        try:
            FusionSettings(**{name: value})
        except InputError as error:
            violations.add(f"settings.{_SETTING_FIELDS[name]}", str(error).partition(": ")[2])
            del given[name]
    method = _METHODS.get(message.method, "posterior")
    return FusionSettings(method=method, reject=not message.keep_all, **given)  # type: ignore[arg-type]


def _decode_view(
    view: pose_fusion_pb2.FusionView, path: str, max_poses: int, violations: Violations
) -> tuple[HypothesisSequence, Camera] | None:
    """One view; `None` if something of it is wrong, which is then noted under its path."""
    inner = Violations()
    try:
        found = _read_view(view, max_poses, inner)
        inner.raise_if_any()
    except RequestError as error:
        for violation in error.violations:
            violations.add(f"{path}.{violation.field}", violation.description)
        return None
    return found


def _read_view(
    view: pose_fusion_pb2.FusionView, max_poses: int, violations: Violations
) -> tuple[HypothesisSequence, Camera]:
    seen = decode_keypoints(view, max_poses=max_poses, violations=violations)
    rows = len(seen.keypoints_px)
    decoded, camera = _read_camera(view, rows, violations)
    columns = decode_hypotheses(view.hypotheses, rows, needs_root=True, violations=violations)
    lengths = {"frame": len(view.frame), "person": len(view.person), "ood_score": len(view.ood_score)}
    for name, length in lengths.items():
        violations.require(length in {0, rows}, name, f"expected 0 or {rows} values, got {length}")
    violations.raise_if_any()
    hypotheses = replace(
        columns.sequence(seen, decoded),
        frame=np.array(view.frame, np.int64) if view.frame else np.arange(rows),
        person=np.array(view.person, np.int64) if view.person else np.zeros(rows, np.int64),
        ood_score=np.array(view.ood_score, np.float32) if view.ood_score else np.full(rows, np.nan, np.float32),
        tracked=len(view.person) > 0,
    )
    return hypotheses, camera


def _read_camera(view: pose_fusion_pb2.FusionView, rows: int, violations: Violations) -> tuple[DecodedCamera, Camera]:
    """The camera, and where it stands.

    Raises:
        RequestError: Something of it is wrong.
    """
    decoded = decode_camera(view.camera, rows, violations)
    got = len(view.camera.intrinsics)
    violations.require(got == 9, "camera.intrinsics", f"expected 9 values, one matrix for all poses, got {got}")
    for field, wanted in (("rotation", 9), ("translation_m", 3)):
        got = len(getattr(view.extrinsics, field))
        violations.require(got == wanted, f"extrinsics.{field}", f"expected {wanted} values, got {got}")
    violations.raise_if_any()
    matrix = np.asarray(decoded.intrinsics).reshape(3, 3)
    rotation, translation = np.array(view.extrinsics.rotation).reshape(3, 3), np.array(view.extrinsics.translation_m)
    violations.checked("extrinsics.rotation", lambda value: Camera(intrinsics=matrix, rotation=value), rotation)
    violations.checked(
        "extrinsics.translation_m", lambda value: Camera(intrinsics=matrix, translation=value), translation
    )
    violations.raise_if_any()
    return decoded, Camera(
        intrinsics=matrix,
        distortion=np.zeros(0) if decoded.distortion is None else decoded.distortion,
        lens_model=decoded.lens_model,
        rotation=rotation,
        translation=translation,
        image_size=decoded.image_size,
        name=view.name,
    )


def _encode_view(
    name: str, view: HypothesisSequence, camera: Camera, person: NDArray[np.integer] | None, offset: int
) -> pose_fusion_pb2.FusionView:
    width, height = camera.image_size or (0, 0)
    lifted = view.lifted[:, None, None, None]
    return pose_fusion_pb2.FusionView(
        name=name,
        camera=camera_pb2.Camera(
            intrinsics=flat(camera.intrinsics),
            distortion=flat(camera.distortion),
            lens_model=encode_lens_model(camera.lens_model),
            image_width_px=width,
            image_height_px=height,
        ),
        extrinsics=reprojection_pb2.Extrinsics(rotation=flat(camera.rotation), translation_m=flat(camera.translation)),
        hypotheses=reprojection_pb2.Hypotheses(
            num_hypotheses=view.num_hypotheses,
            means_m=flat(np.where(lifted, view.means_m, np.nan)),
            std_m=flat(view.std_m),
            view_rotation=flat(view.view_rotation),
            mixing_coefficients=flat(view.mixing_coefficients),
            root_translation_m=flat(view.root_translation_m),
        ),
        keypoints_px=flat(view.keypoints_px),
        confidence=encode_confidence(view.confidence),
        skeleton=HUMAN36M17.name,
        frame=(view.frame + offset).tolist(),
        person=[] if person is None else np.asarray(person).tolist(),
        ood_score=flat(view.ood_score),
    )
