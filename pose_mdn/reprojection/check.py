"""The whole check: hypotheses, keypoints and a camera in; errors, uncertainty, bodies and verdicts out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pose_mdn.errors import InputError
from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.joint_limits import within_limits
from pose_mdn.geometry.lens import undistort_slopes
from pose_mdn.geometry.pinhole import pixels_to_slopes
from pose_mdn.geometry.root_translation import solve_root_translation
from pose_mdn.poses.hypotheses import HypothesisSequence
from pose_mdn.reprojection.agreement import Agreement, Float64Array, agree, person_size_px, weighted_rms
from pose_mdn.reprojection.bones import has_human_bones
from pose_mdn.reprojection.diagnosis import Explanations, Placement, Seen, conclude, explain
from pose_mdn.reprojection.projection import Projection, Viewpoint, project_hypotheses
from pose_mdn.reprojection.result import CheckSettings, ReprojectionCheck

_HYPOTHESES_AT_ONCE = 2048
"""Arrays of this many stay in a core's cache."""


def check_reprojection(
    hypotheses: HypothesisSequence,
    *,
    keypoints_px: NDArray[np.floating] | None = None,
    confidence: NDArray[np.floating] | None = None,
    camera: Camera | None = None,
    lifted_with: Camera | None = None,
    settings: CheckSettings | None = None,
) -> ReprojectionCheck:
    """Check hypotheses against a picture.

    Args:
        hypotheses: N rows of M hypotheses.
        keypoints_px: (N, 17, 2) Human3.6M-17 joints, pixels of the camera's picture, NaN where missing; those that were
            lifted if `None`.
        confidence: (N, 17); 1 for all that are finite if only keypoints are given.
        camera: Whose picture it is; the one that the hypotheses carry if `None`.
        lifted_with: The camera of the hypotheses, if it is another one in the same world as `camera`.
        settings: How strictly to look.

    Raises:
        InputError: Shapes do not fit, or only one of two cameras is given.
    """
    settings = settings or CheckSettings()
    require_both_cameras(camera, lifted_with)
    points, weight = observations(hypotheses, keypoints_px, confidence)
    viewpoint = (
        Viewpoint.of_hypotheses(hypotheses)
        if camera is None
        else Viewpoint.of_camera(camera, len(hypotheses), lifted_with)
    )
    image_size = picture_size(hypotheses, camera)
    axis = viewpoint.intrinsics[:, 0, 2] if image_size is None else np.full(len(hypotheses), (image_size[0] - 1) / 2)
    parts = [
        _check_rows(
            hypotheses.take(rows),
            viewpoint.take(rows),
            settings,
            points=points[rows],
            weight=weight[rows],
            mirror_axis_px=axis[rows],
        )
        for rows in _slices(hypotheses)
    ]
    projections, agreements, bodies, explanations = zip(*parts, strict=True)
    agreement, body = _join(agreements), _join(bodies)
    with np.errstate(invalid="ignore"):
        close = agreement.rms_of_size <= body.allowed_of_size
    return ReprojectionCheck(
        settings=settings,
        keypoints_px=points,
        confidence=weight,
        image_size=image_size,
        projection=_join(projections),
        agreement=agreement,
        root_m=body.root_m,
        in_front=body.in_front,
        human_bones=body.human_bones,
        human_joints=body.human_joints,
        allowed_of_size=body.allowed_of_size,
        passes=body.in_front & close & body.human_bones & body.human_joints,
        diagnosis=conclude(_join(explanations), _placement(settings, viewpoint)),
    )


def _slices(hypotheses: HypothesisSequence) -> list[slice]:
    """At least one, so that no rows give no rows."""
    step = max(1, _HYPOTHESES_AT_ONCE // max(1, hypotheses.num_hypotheses))
    return [slice(start, start + step) for start in range(0, max(1, len(hypotheses)), step)]


@dataclass(frozen=True, kw_only=True)
class _Bodies:
    """What is known of hypotheses beside their pictures; as in `ReprojectionCheck`."""

    root_m: Float64Array
    in_front: NDArray[np.bool_]
    human_bones: NDArray[np.bool_]
    human_joints: NDArray[np.bool_]
    allowed_of_size: Float64Array


_Rows = TypeVar("_Rows", Projection, Agreement, _Bodies, Explanations)


def _check_rows(
    hypotheses: HypothesisSequence,
    viewpoint: Viewpoint,
    settings: CheckSettings,
    *,
    points: Float64Array,
    weight: Float64Array,
    mirror_axis_px: Float64Array,
) -> tuple[Projection, Agreement, _Bodies, Explanations]:
    """Everything that rows tell on their own."""
    placement = _placement(settings, viewpoint)
    root_m = hypotheses.root_translation_m.astype(np.float64)
    if placement.solved:
        root_m = _solve_root(hypotheses, viewpoint, points, weight)
    projection = project_hypotheses(hypotheses, viewpoint, root_m)
    allowed = _allowed_of_size(projection, viewpoint, points, weight, settings)
    lifted = hypotheses.lifted[:, None]
    # In memory joint by joint, since both look joints up by name.
    means_m = np.moveaxis(np.ascontiguousarray(np.moveaxis(hypotheses.means_m, (2, 3), (1, 0))), (1, 0), (2, 3))
    with np.errstate(invalid="ignore"):
        bodies = _Bodies(
            root_m=root_m,
            in_front=(projection.depth_m > 0).all(axis=-1) | ~lifted,
            human_bones=has_human_bones(hypotheses.means_m) & lifted,
            human_joints=np.asarray(within_limits(means_m)) & lifted,
            allowed_of_size=allowed,
        )
    return (
        projection,
        agree(projection, points, weight, noise=settings.noise, level=settings.level),
        bodies,
        explain(
            projection.points_px,
            hypotheses.means_m,
            Seen(keypoints_px=points, confidence=weight, mirror_axis_px=mirror_axis_px),
            allowed,
            placement,
        ),
    )


def _placement(settings: CheckSettings, viewpoint: Viewpoint) -> Placement:
    """What is asked for, as far as the settings do not leave it open."""
    elsewhere = viewpoint.is_elsewhere
    return Placement(
        rotation=viewpoint.rotation,
        elsewhere=elsewhere,
        solved=elsewhere if settings.estimate_root is None else settings.estimate_root,
    )


def _allowed_of_size(
    projection: Projection, viewpoint: Viewpoint, points: Float64Array, weight: Float64Array, settings: CheckSettings
) -> Float64Array:
    """(N, M) as in `ReprojectionCheck`."""
    shape = projection.points_px.shape[:2]
    if not viewpoint.is_elsewhere:
        return np.full(shape, settings.tolerance)
    variance = projection.covariance_px2[..., 0] + projection.covariance_px2[..., 2]
    spread_px = weighted_rms(variance, weight[:, None])
    size = person_size_px(points, weight > 0)[:, None]
    return np.hypot(settings.tolerance, np.nan_to_num(spread_px / size))


def _join(parts: Sequence[_Rows]) -> _Rows:
    """One after the other, field by field."""
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def require_both_cameras(camera: Camera | None, lifted_with: Camera | None) -> None:
    """Refuse the camera of the hypotheses without one to look through."""
    if lifted_with is not None and camera is None:
        raise InputError(
            "camera: expected the camera to look through beside the one lifted with, got none", field="camera"
        )


def picture_size(hypotheses: HypothesisSequence, camera: Camera | None) -> tuple[int, int] | None:
    """(width, height) of the picture that is compared with, if known."""
    return (None if camera is None else camera.image_size) or hypotheses.image_size


def observations(
    hypotheses: HypothesisSequence,
    keypoints_px: NDArray[np.floating] | None,
    confidence: NDArray[np.floating] | None,
) -> tuple[Float64Array, Float64Array]:
    """(N, 17, 2) pixels and (N, 17) weights, 0 for missing, of what `check_reprojection` compares with."""
    points = np.asarray(hypotheses.keypoints_px if keypoints_px is None else keypoints_px, np.float64)
    if points.shape != hypotheses.keypoints_px.shape:
        raise InputError(
            f"keypoints: expected shape {hypotheses.keypoints_px.shape}, like those lifted, got {points.shape}",
            field="keypoints",
        )
    if confidence is not None:
        weight = np.asarray(confidence, np.float64)
    elif keypoints_px is None:
        weight = hypotheses.confidence.astype(np.float64)
    else:
        weight = np.ones(points.shape[:2])
    if weight.shape != points.shape[:2]:
        raise InputError(f"confidence: expected shape {points.shape[:2]}, got {weight.shape}", field="confidence")
    return points, np.where(np.isfinite(points).all(axis=-1) & (weight > 0), np.minimum(weight, 1.0), 0.0)


def _solve_root(
    hypotheses: HypothesisSequence, viewpoint: Viewpoint, points: Float64Array, weight: Float64Array
) -> Float64Array:
    """(N, M, 3) pelvis, in the frame of the hypotheses, that fits the picture of the viewpoint best."""
    drawn = np.asarray(pixels_to_slopes(points, viewpoint.intrinsics))
    slopes = undistort_slopes(drawn, viewpoint.distortion, viewpoint.lens_model)
    usable = np.isfinite(slopes).all(axis=-1) & (weight > 0)
    slopes, weight = np.where(usable[..., None], slopes, 0.0), np.where(usable, weight, 0.0)
    turned = hypotheses.means_m.astype(np.float64) @ viewpoint.rotation.T
    root = np.asarray(solve_root_translation(turned, slopes[:, None], weight[:, None]))
    return (root - viewpoint.translation_m) @ viewpoint.rotation
