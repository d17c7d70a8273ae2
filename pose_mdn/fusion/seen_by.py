"""Fused poses as the hypotheses of one camera, so that whatever works on hypotheses works on them."""

import numpy as np
from numpy.typing import NDArray

from pose_mdn.geometry.camera import Camera
from pose_mdn.geometry.canonical_view import rotation_to_axis
from pose_mdn.poses.fused import FusedPoseSequence, FusionStatus
from pose_mdn.poses.hypotheses import SIZE_FROM_PRIOR, HypothesisSequence
from pose_mdn.poses.status import Status
from pose_mdn.reprojection.agreement import weighted_rms
from pose_mdn.reprojection.projection import Viewpoint, project_hypotheses
from pose_mdn.skeletons import HUMAN36M17

Float64Array = NDArray[np.float64]

SIZE_FROM_VIEWS = "given: several calibrated views"


def seen_by(
    fused: FusedPoseSequence,
    camera: Camera,
    view: HypothesisSequence | None = None,
    *,
    person: NDArray[np.integer] | None = None,
    offset: int = 0,
) -> HypothesisSequence:
    """Turn fused poses into hypotheses in a camera's frame.

    Covariances become deviations across and along the line of sight to the pelvis: the mean variance of the two
    directions across, and that along. Joints that have no position keep their row from being lifted.

    Args:
        fused: N rows.
        camera: One of the same world, whether it saw the people or not.
        view: What that camera saw, for its keypoints; none are known if `None`.
        person: (N_v,) which fused person each row of the view shows; the view's own numbers if `None`.
        offset: Frames that were added to the view's frame numbers.
    """
    pelvis = camera.world_to_camera(fused.root_translation_m)
    joints = fused.means_m.astype(np.float64) @ camera.rotation.T
    whole = np.asarray(np.isfinite(joints).all(axis=(1, 2, 3)) & (pelvis[..., 2] > 0).all(axis=1))
    toward = np.where(whole[:, None], pelvis[:, 0], [0.0, 0.0, 1.0])
    view_rotation = rotation_to_axis(toward / np.linalg.norm(toward, axis=-1, keepdims=True)).mT
    keypoints, confidence = _observed(fused, view, person, offset)
    several = bool((fused.status == FusionStatus.FUSED).any())
    hypotheses = HypothesisSequence(
        means_m=_blank(joints, whole),
        std_m=_blank(_deviations(fused, camera, view_rotation), whole),
        view_rotation=_blank(view_rotation, whole),
        mixing_coefficients=_blank(fused.mixing_coefficients, whole),
        root_translation_m=_blank(pelvis, whole),
        reprojection_error_px=np.full(fused.mixing_coefficients.shape, np.nan, np.float32),
        status=np.where(whole, Status.LIFTED.value, Status.NO_PERSON.value),
        keypoints_px=keypoints,
        confidence=confidence,
        frame=fused.frame - offset,
        person=fused.person,
        intrinsics=np.tile(camera.intrinsics, (len(fused), 1, 1)),
        intrinsics_source="given",
        distortion=camera.distortion,
        image_size=camera.image_size,
        fps=fused.fps,
        source_skeleton=HUMAN36M17.name,
        model=fused.model,
        lens_model=camera.lens_model,
        size_source=SIZE_FROM_VIEWS if several else SIZE_FROM_PRIOR,
    )
    return _with_errors(hypotheses)


def _blank(values: NDArray[np.floating], whole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N, ...) single precision, NaN where a row is not `whole`."""
    return np.where(whole.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan).astype(np.float32)


def _deviations(fused: FusedPoseSequence, camera: Camera, view_rotation: Float64Array) -> Float64Array:
    """(N, K, 17, 2) across and along."""
    covariance = camera.rotation @ fused.covariance_m2.astype(np.float64) @ camera.rotation.T
    toward = view_rotation[:, None, None, :, 2]
    along = np.einsum("nkjab,nkja,nkjb->nkj", covariance, *[np.broadcast_to(toward, covariance.shape[:-1])] * 2)
    across = 0.5 * (np.trace(covariance, axis1=-2, axis2=-1) - along)
    return np.asarray(np.sqrt(np.maximum(np.stack([across, along], axis=-1), 0.0)))


def _observed(
    fused: FusedPoseSequence, view: HypothesisSequence | None, person: NDArray[np.integer] | None, offset: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints and confidences of the view's rows in the order of the fused ones."""
    joints = HUMAN36M17.num_joints
    keypoints = np.full((len(fused), joints, 2), np.nan, np.float32)
    confidence = np.zeros((len(fused), joints), np.float32)
    if view is not None:
        numbers = view.person if person is None else person
        keys = zip((view.frame + offset).tolist(), numbers.tolist(), strict=True)
        place = {key: row for row, key in enumerate(keys)}
        wanted = zip(fused.frame.tolist(), fused.person.tolist(), strict=True)
        index = np.array([place.get(key, -1) for key in wanted], np.int64)
        keypoints[index >= 0] = view.keypoints_px[index[index >= 0]]
        confidence[index >= 0] = view.confidence[index[index >= 0]]
    return keypoints, confidence


def _with_errors(hypotheses: HypothesisSequence) -> HypothesisSequence:
    """The same with the distances to the keypoints."""
    viewpoint = Viewpoint.of_hypotheses(hypotheses)
    shown = project_hypotheses(hypotheses, viewpoint, hypotheses.root_translation_m.astype(np.float64))
    apart = shown.points_px - hypotheses.keypoints_px[:, None]
    rms = weighted_rms(np.square(apart).sum(axis=-1), hypotheses.confidence[:, None].astype(np.float64))
    hypotheses.reprojection_error_px[:] = rms
    return hypotheses
